// What the model is given of a region: a mask of the network input's pixels, and, where patches are pooled,
// which of them (spec/02 section 6, spec/01 section 4.6).
#pragma once

#include <ATen/ATen.h>

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <span>
#include <string>
#include <vector>

#include "geometry/mask_cells.hpp"

namespace patchioner {

struct RegionMasks {
  at::Tensor pixels;                    ///< [R,S,S] float32 in [0,1]
  at::Tensor patches;                   ///< [R,G] float32 in [0,1], no row all 0; only when they are pooled
  std::vector<RegionWarning> warnings;  ///< regions that mark no pixel, and boxes outside the image
};

/// The masks of some regions of one image. A region that covers no pixel keeps its empty mask, as in the
/// reference. Where patches are pooled, a box that covers none takes the patch under its centre, a set of
/// such boxes those under theirs; anything else without patches takes all of them (spec/01, A7).
RegionMasks region_masks(std::span<const Region> regions, const ImageGeometry& geometry, MaskRule rule,
                         bool pooled);

}  // namespace patchioner
