// Boxes to rectangles of patches (spec/01 section 4.1).
#pragma once

#include <array>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>

#include "geometry/cell_grid.hpp"

namespace patchioner {

/// Which patches a box selects (spec/01, A1).
enum class BoxRule {
  reference,  ///< from floor(x/p) to floor(x/p) + floor(w/p), both included
  intersect,  ///< all that the box touches, as the paper says; at least one
};

/// What becomes of a region without patches (spec/01, A7).
enum class EmptyRegion {
  nearest,  ///< the nearest patch for a box, the mean of the whole image for a trace, a mask or a set
  nan,      ///< no weights at all, and Python's rules for slices with negative ends, as in the reference
};

/// A box in pixels of the network input, rounded to float32 as the reference stores it: all that follows
/// starts from these values.
struct InputBox {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};

/// Throws an Error of kind data for a number that is not finite and for a negative width or height.
InputBox to_input_box(const Box& box, const ImageGeometry& geometry);

/// The box divided by the patch size, each number rounded down on its own: first column, first row, columns
/// more, rows more.
std::array<int64_t, 4> patch_indices(const InputBox& box, int64_t patch_size);

/// The patches that the box selects. Under `nearest` never empty; under `nan` empty where the reference finds
/// none.
PatchRange patches_of_box(const InputBox& box, const ImageGeometry& geometry, BoxRule rule,
                          EmptyRegion empty);

/// Whether any of the box lies on the part of the image that the grid covers. A box without area counts as
/// its corner.
bool box_is_visible(const Box& box, const ImageGeometry& geometry);

}  // namespace patchioner
