#include "geometry/trace_cells.hpp"

#include <algorithm>

#include "geometry/image_mapping.hpp"

namespace patchioner {
namespace {

bool inside(double value) {
  return value >= 0 && value <= 1;
}  // false for NaN

/// Dividing by the reciprocal is not the same as multiplying: 19/37 lies in cell 18 this way, as in the
/// reference.
int64_t cell_of(double value, int64_t cells) {
  const auto index = static_cast<int64_t>(value / (1.0 / static_cast<double>(cells)));
  return std::min(index, cells - 1);
}

}  // namespace

CellGrid trace_counts(std::span<const TracePoint> points, const ImageGeometry& geometry, TraceGeometry rule) {
  CellGrid counts(geometry);
  const bool mapped = geometry.spec.keep_img_ratio && rule == TraceGeometry::mapped;
  const ImageMapping map = mapping_of(geometry);
  for (TracePoint point : points) {
    if (!inside(point.x) || !inside(point.y)) {
      continue;
    }
    if (mapped) {
      point.x = map.x.to_input(point.x * static_cast<double>(geometry.image_width)) / map.x.input_size;
      point.y = map.y.to_input(point.y * static_cast<double>(geometry.image_height)) / map.y.input_size;
      if (!inside(point.x) || !inside(point.y)) {
        continue;
      }
    }
    counts.at(cell_of(point.y, geometry.rows), cell_of(point.x, geometry.columns)) += 1;
  }
  return counts;
}

TracePoint to_trace_point(const ImagePoint& point, const ImageGeometry& geometry) {
  return {point.x / static_cast<double>(geometry.image_width),
          point.y / static_cast<double>(geometry.image_height)};
}

}  // namespace patchioner
