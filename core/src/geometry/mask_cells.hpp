// Masks to the share of each patch that they cover (spec/01 section 4.8).
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

#include "geometry/cell_grid.hpp"

namespace patchioner {

/// What a cell counts by the share of it that the mask covers.
enum class MaskRule {
  coverage,  ///< the share itself
  any,       ///< 1 where the share is above 0
  half,      ///< 1 where the share is at least one half
};

/// Throws an Error of kind data for a mask of another size than the image.
CellGrid mask_cells(const Mask& mask, const ImageGeometry& geometry, MaskRule rule);

}  // namespace patchioner
