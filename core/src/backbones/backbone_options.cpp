#include "backbones/backbone_options.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

namespace patchioner {

ImageSpec image_spec_of(const ImageOptions& options, const PatchGrid& grid, const std::array<float, 3>& mean,
                        const std::array<float, 3>& std) {
  ImageSpec spec;
  spec.mean = mean;
  spec.std = std;
  spec.keep_img_ratio = options.keep_img_ratio;
  spec.patch_size = grid.patch_size;
  const int64_t resolution =
      options.resolution > 0 ? options.resolution : grid.patch_size * position_grid(grid.position_rows);
  spec.resize_dim = options.resize_dim > 0 ? options.resize_dim : resolution;
  spec.crop_dim = options.crop_dim > 0 ? options.crop_dim : resolution;
  const int64_t input = spec.input_size();
  if (grid.whole_patches && input % spec.patch_size != 0) {
    const int64_t patches = std::max<int64_t>(1, (input + spec.patch_size / 2) / spec.patch_size);
    throw Error(ErrorKind::config,
                "the network input of {} pixels is no multiple of the patch size {}; {} is the nearest one",
                input, spec.patch_size, patches * spec.patch_size);
  }
  if (input < spec.patch_size) {
    throw Error(ErrorKind::config, "an input of {} pixels is smaller than one patch of {}", input,
                spec.patch_size);
  }
  return spec;
}

ImageSpec image_spec_of(const ImageOptions& options, const VitConfig& tower, const std::array<float, 3>& mean,
                        const std::array<float, 3>& std) {
  return image_spec_of(options, PatchGrid{tower.patch_size, tower.position_rows, tower.strict_size}, mean,
                       std);
}

MapReduce map_reduce_of(const ImageOptions& options) {
  return options.map_reduce == "probs" ? MapReduce::probs : MapReduce::logits;
}

}  // namespace patchioner
