// The cut of a region for the crop baseline.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// The box that the crop baseline cuts out (spec/01 sections 3.1 and 4.8): the smallest one around the
/// region; the whole image for a region without any point inside. That, a box without area and one outside
/// the image are added to `warnings`.
Box crop_of(const RegionShape& shape, const ImageGeometry& geometry, std::vector<std::string>& warnings);

}  // namespace patchioner
