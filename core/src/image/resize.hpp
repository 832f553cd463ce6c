// The part of an image that a resize has to produce; kept apart from image.hpp, whose functions are all that
// most callers want.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace patchioner {

/// A rectangle of the resized image, in its pixels.
struct ResizeWindow {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

struct ImageSize {
  int64_t width = 0;
  int64_t height = 0;
};

/// The size with `resize` on the shorter side and the longer one in proportion, rounded down.
ImageSize size_with_shorter_side(int64_t width, int64_t height, int64_t resize);

/// resize_bicubic to width x height of which only `window` is computed: the same bytes as the full result cut
/// out. A crop of a long, thin image would otherwise need a resized image of gigabytes. `pixels` is [H,W,C]
/// uint8, the result [window height, window width, C].
at::Tensor resize_bicubic_window(const at::Tensor& pixels, int64_t width, int64_t height,
                                 const ResizeWindow& window);

}  // namespace patchioner
