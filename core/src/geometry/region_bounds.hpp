// The smallest box around a region: what is cut out for the crop baseline, and what a model that pools boxes
// is given.
#pragma once

#include <optional>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

namespace patchioner {

/// In pixels of the original image: the box itself, the smallest one around all boxes of a set, around the
/// points of a trace that lie on the image, around the pixels of a mask; the cell of a patch; the whole
/// image. Width and height may be 0, and a box may lie outside the image, as it was said. nullopt when there
/// is nothing: an empty set or mask, a trace or point outside the image.
std::optional<Box> bounds_of(const RegionShape& shape, const ImageGeometry& geometry);

}  // namespace patchioner
