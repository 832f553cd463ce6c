// What CLIP-S and PAC-S look at when a caption is of a region: the image with the region drawn into it, or
// cut to it, saved as JPEG and read again, pixel by pixel as the reference makes it with Pillow 10.4 (spec/05
// section 1).
#pragma once

#include <array>
#include <patchioner/region.hpp>
#include <span>

#include "image/image.hpp"

namespace patchioner {

/// x1, y1, x2, y2 in pixels.
using BoxCorners = std::array<double, 4>;

/// Outlines two pixels wide that grow inwards, both corners included; red, or in an image without colours the
/// grey that Pillow takes for red. Fractions are cut off. What lies outside the image is not drawn.
void draw_boxes(Image& image, std::span<const BoxCorners> boxes);

/// Half-transparent red dots of seven pixels at the points inside [0,1]^2; where dots overlap they are one.
void draw_trace(Image& image, const Trace& trace);

/// The box cut out, black outside the image. A side without length is first moved by a pixel as the dense
/// script does: to the left or the top, except at the image's border.
Image cut_box(const Image& image, const BoxCorners& box);

/// The image after Pillow's default JPEG (quality 75, colours at half the resolution).
Image through_jpeg(const Image& image);

}  // namespace patchioner
