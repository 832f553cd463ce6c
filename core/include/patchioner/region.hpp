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
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Several rectangles that are captioned together, by one caption.
struct BoxSet {
  std::vector<Box> boxes;
};

/// A point of a trace, relative to the original image: (0,0) top left, (1,1) bottom right. Traces may leave
/// [0,1].
struct TracePoint {
  double x = 0;
  double y = 0;
};

/// A mouse trace. Order and time do not matter for aggregation (spec/01 section 4.5).
struct Trace {
  std::vector<TracePoint> points;
};

/// A binary mask of the original image's size.
struct Mask {
  at::Tensor pixels;  ///< [H,W] bool
};

/// One patch of the grid, counted from 0 at the top left.
struct Patch {
  int64_t row = 0;
  int64_t column = 0;
};

/// One point in pixels of the original image; means the one-point trace (x/W, y/H).
struct ImagePoint {
  double x = 0;
  double y = 0;
};

using RegionShape = std::variant<WholeImage, Box, BoxSet, Trace, Mask, Patch, ImagePoint>;

struct Region {
  RegionShape shape;
  std::string id;  ///< free text that comes back with the caption; may be empty
};

/// Why a region became something else than what it asked for.
struct RegionWarning {
  size_t region = 0;  ///< its place among the regions that were asked about
  std::string sentence;
};

/// "image", "box", "boxes", "trace", "mask", "patch" or "point": the key that stands for the shape in JSON.
std::string_view kind_name(const RegionShape& shape);

}  // namespace patchioner
