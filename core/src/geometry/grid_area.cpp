#include "geometry/grid_area.hpp"

#include "geometry/cell_grid.hpp"
#include "geometry/image_mapping.hpp"

namespace patchioner {
namespace {

/// A rectangle of cells, by the mapping that regions find their cells with.
Box area_of(const PatchRange& cells, const ImageGeometry& geometry) {
  const ImageMapping map = mapping_of(geometry);
  const int64_t patch = geometry.spec.patch_size;
  const auto border = [patch](const AxisMapping& axis, int64_t cell) {
    return axis.to_original(static_cast<double>(cell * patch));
  };
  const double left = border(map.x, cells.column_begin);
  const double top = border(map.y, cells.row_begin);
  return {left, top, border(map.x, cells.column_end) - left, border(map.y, cells.row_end) - top};
}

}  // namespace

Box grid_area(const ImageGeometry& geometry) {
  return area_of({0, geometry.rows, 0, geometry.columns}, geometry);
}

Box cell_area(const ImageGeometry& geometry, int64_t row, int64_t column) {
  return area_of({row, row + 1, column, column + 1}, geometry);
}

}  // namespace patchioner
