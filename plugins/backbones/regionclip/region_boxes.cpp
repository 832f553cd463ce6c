#include "region_boxes.hpp"

#include <algorithm>
#include <optional>
#include <patchioner/error.hpp>
#include <variant>

#include "geometry/image_mapping.hpp"
#include "geometry/region_bounds.hpp"
#include "geometry/region_check.hpp"

namespace patchioner {
namespace {

/// Begin and end along one axis of the network input.
struct Span {
  double begin = 0;
  double end = 0;

  bool outside(double size) const {
    return end < 0 || begin > size || (end > begin && (end <= 0 || begin >= size));
  }
  Span cut(double size) const {
    const double first = std::clamp(begin, 0.0, size - 1);
    return {first, std::clamp(end, first + 1, size)};
  }
};

Span on_axis(const AxisMapping& axis, double start, double length) {
  const double begin = axis.to_input(start);
  return {begin, begin + length * axis.scale};
}

}  // namespace

std::vector<PixelBox> region_boxes(std::span<const Region> regions, const ImageGeometry& geometry,
                                   int64_t width, int64_t height, std::vector<RegionWarning>& warnings) {
  const ImageMapping map = mapping_of(geometry);
  const auto columns = static_cast<double>(width);
  const auto rows = static_cast<double>(height);
  std::vector<PixelBox> boxes;
  for (size_t i = 0; i < regions.size(); ++i) {
    const RegionShape& shape = regions[i].shape;
    check_region(shape, geometry);
    const std::optional<Box> bounds = bounds_of(shape, geometry);
    if (!bounds || std::holds_alternative<WholeImage>(shape)) {
      if (!bounds) {
        warnings.push_back({i, fmt::format("the {} has nothing inside the image; the whole image is taken",
                                           kind_name(shape))});
      }
      boxes.push_back({0, 0, columns, rows});
      continue;
    }
    const bool boxes_said = std::holds_alternative<Box>(shape) || std::holds_alternative<BoxSet>(shape);
    if (boxes_said && (bounds->width == 0 || bounds->height == 0)) {
      warnings.push_back(
          {i, fmt::format("the {} has no area; one pixel of the network input is taken", kind_name(shape))});
    }
    const Span across = on_axis(map.x, bounds->x, bounds->width);
    const Span down = on_axis(map.y, bounds->y, bounds->height);
    if (across.outside(columns) || down.outside(rows)) {
      warnings.push_back(
          {i, fmt::format("the {} lies outside what the network sees; the place nearest to it is taken",
                          kind_name(shape))});
    }
    const Span x = across.cut(columns);
    const Span y = down.cut(rows);
    boxes.push_back({x.begin, y.begin, x.end, y.end});
  }
  return boxes;
}

}  // namespace patchioner
