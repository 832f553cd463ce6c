#include "runtime/region_crop.hpp"

#include <fmt/format.h>

#include "geometry/region_bounds.hpp"

namespace patchioner {

Box crop_of(const RegionShape& shape, const ImageGeometry& geometry, std::vector<std::string>& warnings) {
  const std::optional<Box> bounds = bounds_of(shape, geometry);
  if (!bounds) {
    warnings.push_back(
        fmt::format("the {} has nothing inside the image; the whole image is taken", kind_name(shape)));
    return {0, 0, static_cast<double>(geometry.image_width), static_cast<double>(geometry.image_height)};
  }
  Box box = *bounds;
  const bool boxes = std::holds_alternative<Box>(shape) || std::holds_alternative<BoxSet>(shape);
  if (boxes && (box.width == 0 || box.height == 0)) {
    warnings.push_back(fmt::format("the {} {:g},{:g},{:g},{:g} has no area; its cut is widened to one pixel",
                                   kind_name(shape), box.x, box.y, box.width, box.height));
  }
  // Spec/01 section 3.1: a pixel is added to a zero width or height first.
  box.width += box.width == 0 ? 1 : 0;
  box.height += box.height == 0 ? 1 : 0;
  const bool outside = box.x >= static_cast<double>(geometry.image_width) ||
                       box.y >= static_cast<double>(geometry.image_height) || box.x + box.width <= 0 ||
                       box.y + box.height <= 0;
  if (outside) {
    warnings.push_back(fmt::format("the {} lies outside the image of {}x{} pixels; its crop is black",
                                   kind_name(shape), geometry.image_width, geometry.image_height));
  }
  return box;
}

}  // namespace patchioner
