// Every region is the one patch that the config names.
#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

struct OnePatchOptions {
  int64_t row = 0;
  int64_t column = 0;
};

void declare(ParameterList<OnePatchOptions>& list) {
  list.add("row", &OnePatchOptions::row, "of the patch, from 0").range(0);
  list.add("column", &OnePatchOptions::column, "of the patch, from 0").range(0);
}

/// What no region may be, also where nobody reads it.
void check(const Region& region, const ImageGeometry& geometry) {
  const auto* patch = std::get_if<Patch>(&region.shape);
  if (patch != nullptr && (patch->row < 0 || patch->row >= geometry.rows || patch->column < 0 ||
                           patch->column >= geometry.columns)) {
    throw Error(ErrorKind::data, "the patch {},{} does not lie on the grid", patch->row, patch->column);
  }
  const auto* mask = std::get_if<Mask>(&region.shape);
  if (mask != nullptr &&
      mask->pixels.sizes() != at::IntArrayRef{geometry.image_height, geometry.image_width}) {
    throw Error(ErrorKind::data, "the mask is not of the image's size");
  }
}

class OnePatch : public Aggregator {
 public:
  OnePatch(const OnePatchOptions& options, const PluginContext&) : options_(options) {}

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    if (options_.row >= geometry.rows || options_.column >= geometry.columns) {
      throw Error(ErrorKind::config, "the patch {},{} does not lie on the grid of {} by {}", options_.row,
                  options_.column, geometry.rows, geometry.columns);
    }
    for (const Region& region : regions) {
      check(region, geometry);
    }
    const auto count = static_cast<int64_t>(regions.size());
    at::Tensor weights = at::zeros({count, geometry.patches()});  // [R,G]
    weights.select(1, options_.row * geometry.columns + options_.column).fill_(1);
    return {weights, at::ones({count}), {}};
  }

 private:
  OnePatchOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(aggregator, one_patch, "2.5", "One patch, whatever the region is", OnePatch,
                  OnePatchOptions)
