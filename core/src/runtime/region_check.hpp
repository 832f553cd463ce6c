// What must hold of a region before anything is computed from it, and the cut of it for the crop baseline.
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// Throws an Error of kind data for a region that means nothing on this image: a number that is not finite,
/// an inverted box, a mask of another size, a patch outside the grid. What is merely odd (a box without area)
/// is added to `warnings`.
void check_region(const RegionShape& shape, const ImageGeometry& geometry,
                  std::vector<std::string>& warnings);

/// The box that the crop baseline cuts out (spec/01 sections 3.1 and 4.8): the smallest one around the
/// region; the whole image for a region without any point inside, which is added to `warnings`.
Box crop_of(const RegionShape& shape, const ImageGeometry& geometry, std::vector<std::string>& warnings);

}  // namespace patchioner
