// What a user points at in an image. A region is always said in coordinates of the original image; how it
// falls on the patch grid of a backbone is geometry.hpp's business.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace patchioner {

/// The whole image.
struct WholeImage {};

/// A rectangle: x, y of the top left corner, width, height, in pixels of the original image (fractions
/// allowed).
struct Box {
  double x = 0;       ///< of the left side, to the right
  double y = 0;       ///< of the upper side, downwards
  double width = 0;   ///< not negative
  double height = 0;  ///< not negative
};

/// Several rectangles that are captioned together, by one caption.
struct BoxSet {
  std::vector<Box> boxes;  ///< in any order; they may overlap
};

/// A point of a trace, relative to the original image: (0,0) top left, (1,1) bottom right. Traces may leave
/// [0,1].
struct TracePoint {
  double x = 0;  ///< to the right, in image widths
  double y = 0;  ///< downwards, in image heights
};

/// A mouse trace. Order and time do not matter for aggregation (spec/01 section 4.5).
struct Trace {
  std::vector<TracePoint> points;  ///< one that comes several times counts as often
};

/// A binary mask of the original image's size.
struct Mask {
  at::Tensor pixels;  ///< [H,W] bool
};

/// One patch of the grid, counted from 0 at the top left.
struct Patch {
  int64_t row = 0;     ///< from the top, 0 to rows - 1
  int64_t column = 0;  ///< from the left, 0 to columns - 1
};

/// One point in pixels of the original image; means the one-point trace (x/W, y/H).
struct ImagePoint {
  double x = 0;  ///< to the right
  double y = 0;  ///< downwards
};

/// One of the shapes above.
using RegionShape = std::variant<WholeImage, Box, BoxSet, Trace, Mask, Patch, ImagePoint>;

/// What is to be captioned: one shape, and what its caller calls it.
struct Region {
  RegionShape shape;  ///< the whole image unless said otherwise
  std::string id;     ///< free text that comes back with the caption; may be empty
};

/// Why a region became something else than what it asked for.
struct RegionWarning {
  size_t region = 0;     ///< its place among the regions that were asked about
  std::string sentence;  ///< one, for the user: what it was, and what was taken instead
};

/// "image", "box", "boxes", "trace", "mask", "patch" or "point": the key that stands for the shape in JSON.
std::string_view kind_name(const RegionShape& shape);

}  // namespace patchioner
