// The way back: where the patch grid and its cells lie on the original image.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

namespace patchioner {

/// The part of the original image that regions find the cells of the grid in, in its pixels: all of it when
/// squashing, the centre square when cropping; less what patches of a size that does not divide the network
/// input leave over at the right and bottom. It may reach over the border of an image that the crop is padded
/// around, whose regions are mapped without the padding's shift, as in the reference (spec/01 section 4.1).
Box grid_area(const ImageGeometry& geometry);

/// The cell of the grid that holds a patch, in pixels of the original image.
Box cell_area(const ImageGeometry& geometry, int64_t row, int64_t column);

}  // namespace patchioner
