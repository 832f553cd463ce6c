// Regions as the boxes that RegionCLIP pools.
#pragma once

#include <patchioner/backbone.hpp>
#include <span>
#include <vector>

#include "nn/roi_align.hpp"

namespace patchioner {

/// The smallest box around each region in pixels of a network input of `width` x `height`, cut off at its
/// borders and at least one pixel wide and high. The whole image is all of the input. What lies outside
/// becomes the pixel nearest to it, a region without any place the whole image; both are added to `warnings`.
/// Errors as of check_region.
std::vector<PixelBox> region_boxes(std::span<const Region> regions, const ImageGeometry& geometry,
                                   int64_t width, int64_t height, std::vector<RegionWarning>& warnings);

}  // namespace patchioner
