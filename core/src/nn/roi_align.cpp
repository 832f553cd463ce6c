#include "nn/roi_align.hpp"

#include <algorithm>
#include <cmath>
#include <patchioner/error.hpp>
#include <vector>

namespace patchioner {
namespace {

// The distance of a cell's centre from its corner.
constexpr double kHalfCell = 0.5;

void check_box(const PixelBox& box) {
  const bool finite = std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.right) &&
                      std::isfinite(box.bottom);
  if (!finite || box.right < box.left || box.bottom < box.top) {
    throw Error(ErrorKind::data, "the box from {:g},{:g} to {:g},{:g} cannot be cut out of a feature map",
                box.left, box.top, box.right, box.bottom);
  }
}

/// One axis of a box from `begin` to `end` (pixels): how much each of the `cells` counts in each of the
/// `size` bins, added to `weights` [size,cells].
void add_axis_weights(double begin, double end, double scale, int64_t size, int64_t cells, double* weights) {
  const double start = begin * scale - kHalfCell;
  const double bin = (end - begin) * scale / static_cast<double>(size);
  const auto samples = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(bin)));
  const double share = 1.0 / static_cast<double>(samples);
  const auto last = static_cast<double>(cells - 1);
  for (int64_t i = 0; i < size; ++i) {
    double* row = weights + i * cells;
    for (int64_t sample = 0; sample < samples; ++sample) {
      const double position =
          start + bin * (static_cast<double>(i) +
                         (static_cast<double>(sample) + kHalfCell) / static_cast<double>(samples));
      if (position < -1 || position > static_cast<double>(cells)) {
        continue;
      }
      const double within = std::clamp(position, 0.0, last);
      const double low = std::floor(within);
      const double above = within - low;
      row[static_cast<int64_t>(low)] += share * (1 - above);
      if (above > 0) {
        row[static_cast<int64_t>(low) + 1] += share * above;
      }
    }
  }
}

}  // namespace

at::Tensor roi_align(const at::Tensor& map, std::span<const PixelBox> boxes, double scale, int64_t size) {
  const int64_t channels = map.size(0);
  const int64_t rows = map.size(1);
  const int64_t columns = map.size(2);
  const auto count = static_cast<int64_t>(boxes.size());
  // What a sample reads along one axis does not depend on the other, so that a region is two matrix products.
  std::vector<double> vertical(boxes.size() * static_cast<size_t>(size * rows));
  std::vector<double> horizontal(boxes.size() * static_cast<size_t>(size * columns));
  for (size_t i = 0; i < boxes.size(); ++i) {
    check_box(boxes[i]);
    add_axis_weights(boxes[i].top, boxes[i].bottom, scale, size, rows,
                     vertical.data() + i * static_cast<size_t>(size * rows));
    add_axis_weights(boxes[i].left, boxes[i].right, scale, size, columns,
                     horizontal.data() + i * static_cast<size_t>(size * columns));
  }
  const auto matrix = [&](std::vector<double>& weights, at::IntArrayRef shape) {
    return at::from_blob(weights.data(), shape, at::TensorOptions(at::kDouble)).to(map.options());
  };
  const at::Tensor cells = map.permute({1, 2, 0}).reshape({rows, columns * channels});  // [H,W*C]
  const at::Tensor bands = at::matmul(matrix(vertical, {count * size, rows}), cells)
                               .view({count, size, columns, channels});     // [R,size,W,C]
  const at::Tensor across = matrix(horizontal, {count, 1, size, columns});  // [R,1,size,W]
  return at::matmul(across, bands).permute({0, 3, 1, 2});                   // [R,C,size,size]
}

}  // namespace patchioner
