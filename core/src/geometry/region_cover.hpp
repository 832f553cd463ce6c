// Which cells a region covers, each counted once: what a model that is trained on masks is given (spec/01
// section 4.6, spec/02 section 6). Unlike the patches that aggregators weigh, a box ends before the cell that
// its end lies in, and may cover none.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

#include "geometry/cell_grid.hpp"
#include "geometry/mask_cells.hpp"

namespace patchioner {

/// Pixels of the network input, rows and columns of them. Values are 1 inside and 0 outside; only a mask
/// under MaskRule::coverage has values between. A box covers from floor(x) to floor(x + width), the end
/// excluded, a trace the pixels that hold a point, a set what any of its boxes covers, a patch its square.
/// All 0 when nothing is covered. Throws an Error of kind data for what check_region refuses.
CellGrid covered_pixels(const RegionShape& shape, const ImageGeometry& geometry, MaskRule rule);

/// The same on the patch grid, borders being those of patches: a box inside one patch covers none.
CellGrid covered_patches(const RegionShape& shape, const ImageGeometry& geometry, MaskRule rule);

/// The patch that holds the centre of a box, or the one nearest to it.
Patch patch_under(const Box& box, const ImageGeometry& geometry);

}  // namespace patchioner
