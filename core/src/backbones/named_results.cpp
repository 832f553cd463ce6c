#include "backbones/named_results.hpp"

#include <ATen/core/grad_mode.h>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {

ImageFeatures grid_features(const at::Tensor& patches, int64_t rows, int64_t columns,
                            const at::Tensor& global, const at::Tensor& map, at::Device device) {
  const int64_t images = patches.size(0);
  ImageFeatures features;
  features.patches =
      patches.reshape({images, rows, columns, patches.size(2)}).to(device);  // [B,rows,columns,D]
  if (global.defined()) {
    features.global = global.contiguous().to(device);  // [B,D]
  }
  if (map.defined()) {
    features.attention = map.reshape({images, rows, columns}).to(device);  // [B,rows,columns]
  }
  return features;
}

VitRequest request_for(std::span<const std::string> intermediates) {
  VitRequest request;
  request.tokens_in =
      std::find(intermediates.begin(), intermediates.end(), "tokens_in") != intermediates.end();
  return request;
}

void check_region_pixels(const at::Tensor& pixels, const ImageGeometry& geometry) {
  const int64_t side = geometry.spec.input_size();
  if (pixels.sizes() != at::IntArrayRef({1, 3, side, side})) {
    throw Error(
        ErrorKind::data,
        "pixels have the shape {}; expected [1,3,{},{}], one image of the size that the geometry says",
        shape_text(pixels.sizes()), side, side);
  }
}

const at::Tensor& probe_input(const std::map<std::string, at::Tensor>& inputs, std::string_view probe,
                              const std::string& name) {
  const auto found = inputs.find(name);
  if (found == inputs.end()) {
    throw Error(ErrorKind::data, "{} needs the input '{}'", probe, name);
  }
  return found->second;
}

std::pair<int64_t, int64_t> probe_grid(const std::map<std::string, at::Tensor>& inputs) {
  const at::Tensor grid = probe_input(inputs, "position_table", "grid").to(at::kLong).flatten();
  if (grid.numel() != 2) {
    throw Error(ErrorKind::data, "position_table needs two integers in 'grid': rows and columns");
  }
  return {grid[0].item<int64_t>(), grid[1].item<int64_t>()};
}

at::Tensor probe_position_table(const VisionTransformer& tower,
                                const std::map<std::string, at::Tensor>& inputs) {
  const auto [rows, columns] = probe_grid(inputs);
  const at::NoGradGuard no_gradients;
  return tower.positions(rows, columns).clone().to(at::kCPU);  // [1+G,W]
}

}  // namespace patchioner
