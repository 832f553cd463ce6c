#include "geometry/mask_cells.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "geometry/image_mapping.hpp"
#include "geometry/region_check.hpp"

namespace patchioner {
namespace {

// Shares are sums of products in double; what is smaller than this is rounding.
constexpr double kRounding = 1e-9;

/// The borders of the cells along one axis, in pixels of the original image: cells + 1 of them.
std::vector<double> cell_borders(const AxisMapping& axis, int64_t cells, int64_t patch_size) {
  std::vector<double> borders(cells + 1);
  for (int64_t i = 0; i <= cells; ++i) {
    borders[i] = axis.to_original(static_cast<double>(i * patch_size));
  }
  return borders;
}

/// Marked pixels of one row left of a border, which may cut a pixel.
class RowCounter {
 public:
  explicit RowCounter(int64_t width) : before_(width + 1) {}

  /// Returns whether any pixel of the row is marked.
  bool read(const bool* row) {
    row_ = row;
    const auto width = static_cast<int64_t>(before_.size()) - 1;
    for (int64_t x = 0; x < width; ++x) {
      before_[x + 1] = before_[x] + (row[x] ? 1 : 0);
    }
    return before_[width] > 0;
  }

  double left_of(double border) const {
    const auto width = static_cast<int64_t>(before_.size()) - 1;
    if (border >= static_cast<double>(width)) {
      return before_[width];
    }
    const auto pixel = static_cast<int64_t>(std::max(border, 0.0));
    const double part = std::max(border, 0.0) - static_cast<double>(pixel);
    return before_[pixel] + (row_[pixel] ? part : 0.0);
  }

 private:
  std::vector<int64_t> before_;
  const bool* row_ = nullptr;
};

double apply(MaskRule rule, double share) {
  switch (rule) {
    case MaskRule::any:
      return share > kRounding ? 1 : 0;
    case MaskRule::half:
      return share >= 0.5 - kRounding ? 1 : 0;
    case MaskRule::coverage:
      break;
  }
  return share;
}

}  // namespace

CellGrid mask_cells(const Mask& mask, const ImageGeometry& geometry, MaskRule rule) {
  check_mask(mask, geometry);
  const at::Tensor marked = mask.pixels.to(at::kCPU, at::kBool).contiguous();  // [H,W]
  const bool* data = marked.const_data_ptr<bool>();
  const ImageMapping map = mapping_of(geometry);
  const std::vector<double> columns = cell_borders(map.x, geometry.columns, geometry.spec.patch_size);
  const std::vector<double> rows = cell_borders(map.y, geometry.rows, geometry.spec.patch_size);

  CellGrid covered(geometry);  // area of the mask in each cell, in pixels of the original image
  RowCounter counter(geometry.image_width);
  std::vector<double> in_row(geometry.columns);
  int64_t first_row = 0;  // of the cells that reach below this pixel row's upper edge
  for (int64_t y = 0; y < geometry.image_height; ++y) {
    if (!counter.read(data + y * geometry.image_width)) {
      continue;
    }
    for (int64_t column = 0; column < geometry.columns; ++column) {
      in_row[column] = counter.left_of(columns[column + 1]) - counter.left_of(columns[column]);
    }
    const auto top = static_cast<double>(y);
    while (first_row < geometry.rows && rows[first_row + 1] <= top) {
      ++first_row;
    }
    for (int64_t row = first_row; row < geometry.rows && rows[row] < top + 1; ++row) {
      const double height = std::min(top + 1, rows[row + 1]) - std::max(top, rows[row]);
      for (int64_t column = 0; column < geometry.columns; ++column) {
        covered.at(row, column) += height * in_row[column];
      }
    }
  }
  for (int64_t row = 0; row < geometry.rows; ++row) {
    for (int64_t column = 0; column < geometry.columns; ++column) {
      const double area = (rows[row + 1] - rows[row]) * (columns[column + 1] - columns[column]);
      covered.at(row, column) = apply(rule, covered.at(row, column) / area);
    }
  }
  return covered;
}

}  // namespace patchioner
