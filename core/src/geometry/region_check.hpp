// What must hold of a region before anything is computed from it.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

namespace patchioner {

/// Throws an Error of kind data for a box with a number that is not finite or with a negative side.
void check_box(const Box& box);

/// Throws an Error of kind data for a mask that is no picture of the image's size.
void check_mask(const Mask& mask, const ImageGeometry& geometry);

/// Throws an Error of kind data for a patch outside the grid.
void check_patch(const Patch& patch, const ImageGeometry& geometry);

/// Throws an Error of kind data for a region that means nothing on this image: what the three above refuse,
/// and a trace or point that is not finite.
void check_region(const RegionShape& shape, const ImageGeometry& geometry);

/// "x,y,width,height", as short as the numbers allow, for messages.
std::string text_of(const Box& box);

}  // namespace patchioner
