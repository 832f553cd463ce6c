// The way back: where the patch grid and its cells lie on the original image.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

namespace patchioner {

/// The part of the original image that the patch grid covers, in its pixels: all of it when squashing, the
/// centre square when cropping (it may reach over the border where the crop is padded).
Box grid_area(const ImageGeometry& geometry);

/// The cell of the grid that holds a patch, in pixels of the original image.
Box cell_area(const ImageGeometry& geometry, int64_t row, int64_t column);

}  // namespace patchioner
