#include "geometry/region_bounds.hpp"

#include <algorithm>
#include <limits>

#include "geometry/grid_area.hpp"

namespace patchioner {
namespace {

/// The smallest rectangle around what was put into it.
struct Bounds {
  double left = std::numeric_limits<double>::infinity();
  double top = left;
  double right = -left;
  double bottom = -left;

  void add(double x, double y) {
    left = std::min(left, x);
    top = std::min(top, y);
    right = std::max(right, x);
    bottom = std::max(bottom, y);
  }
  bool empty() const { return left > right; }
  Box box() const { return {left, top, right - left, bottom - top}; }
};

void bound_mask(const Mask& mask, Bounds& bounds) {
  const at::Tensor found = at::nonzero(mask.pixels);  // [N,2]
  if (found.size(0) > 0) {
    const at::Tensor low = std::get<0>(found.min(0));
    const at::Tensor high = std::get<0>(found.max(0));
    bounds.add(low[1].item<double>(), low[0].item<double>());
    bounds.add(high[1].item<double>() + 1, high[0].item<double>() + 1);
  }
}

}  // namespace

std::optional<Box> bounds_of(const RegionShape& shape, const ImageGeometry& geometry) {
  const auto width = static_cast<double>(geometry.image_width);
  const auto height = static_cast<double>(geometry.image_height);
  Bounds bounds;
  const auto add_box = [&](const Box& box) {
    bounds.add(box.x, box.y);
    bounds.add(box.x + box.width, box.y + box.height);
  };
  if (std::holds_alternative<WholeImage>(shape)) {
    add_box({0, 0, width, height});
  } else if (const auto* box = std::get_if<Box>(&shape)) {
    add_box(*box);
  } else if (const auto* set = std::get_if<BoxSet>(&shape)) {
    std::for_each(set->boxes.begin(), set->boxes.end(), add_box);
  } else if (const auto* trace = std::get_if<Trace>(&shape)) {
    for (const TracePoint& point : trace->points) {
      if (point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1) {
        bounds.add(point.x * width, point.y * height);
      }
    }
  } else if (const auto* mask = std::get_if<Mask>(&shape)) {
    bound_mask(*mask, bounds);
  } else if (const auto* patch = std::get_if<Patch>(&shape)) {
    add_box(cell_area(geometry, patch->row, patch->column));
  } else if (const auto* point = std::get_if<ImagePoint>(&shape)) {
    if (point->x >= 0 && point->x <= width && point->y >= 0 && point->y <= height) {
      bounds.add(point->x, point->y);
    }
  }
  return bounds.empty() ? std::nullopt : std::optional<Box>(bounds.box());
}

}  // namespace patchioner
