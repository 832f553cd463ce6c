// Regions as lines on the original image, for drawing.
#pragma once

#include <array>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct OutlinePoint {
  double x = 0;
  double y = 0;
};

/// The lines of one region, in pixels of the original image. Any of the parts may be empty.
struct Outline {
  std::vector<std::vector<OutlinePoint>> polygons;   ///< closed; the holes of a mask are polygons too
  std::vector<std::vector<OutlinePoint>> polylines;  ///< open: a trace
  std::vector<OutlinePoint> dots;                    ///< a point; the start of a trace
  OutlinePoint anchor;                               ///< where its number stands, inside the image
};

/// `geometry` needs its grid for patches only, which without it have no lines.
Outline outline_of(const RegionShape& shape, const ImageGeometry& geometry);

/// Where the numbers of several outlines stand, as circles of that radius: at their anchors, inside the
/// image, moved aside where they would cover one another.
std::vector<OutlinePoint> place_numbers(const std::vector<Outline>& outlines, double radius, double width,
                                        double height);

/// Red, green, blue of the region with this number (from 0); colours repeat after ten.
std::array<uint8_t, 3> region_colour(size_t index);

/// The same as "#rrggbb".
std::string region_colour_hex(size_t index);

}  // namespace patchioner
