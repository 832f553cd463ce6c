// Image files to network input, bit for bit as the reference does it (spec/01 section 3, spec/02 section 11):
// decode, convert to RGB first, resize on bytes as Pillow 10.4's bicubic does, crop, scale, normalise.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <span>
#include <string>

namespace patchioner {

/// 8-bit RGB pixels.
struct Image {
  at::Tensor pixels;  ///< [H,W,3] uint8, contiguous, RGB
  std::string path;   ///< where it came from, for messages

  int64_t height() const { return pixels.size(0); }
  int64_t width() const { return pixels.size(1); }
};

/// What to do with the orientation that a camera noted: evaluation ignores it as the reference does,
/// `caption` applies it, once.
enum class ExifOrientation { ignore, apply };

/// Most pixels that an image may have; a larger one is refused before it is decoded (30,000 x 30,000 would
/// take 2.7 GB).
constexpr int64_t kMostPixels = 178'956'970;  // Pillow 10.4: Image.MAX_IMAGE_PIXELS * 2, where it refuses too

/// Reads a JPEG, PNG, WebP, BMP, TIFF or GIF (first frame of an animation). Grey is replicated, alpha dropped
/// (not blended), palettes expanded, 16-bit scaled to 8, CMYK converted. Throws an Error of kind data that
/// names the file and what is wrong: empty, truncated, not an image, too large.
Image read_image(const std::filesystem::path& path, ExifOrientation orientation);
Image decode_image(std::span<const std::byte> bytes, const std::string& name, ExifOrientation orientation);

/// Pillow 10.4 bicubic on bytes (a = -0.5, antialiased, horizontal pass first, 8-bit intermediate). `pixels`
/// is [H,W,C] uint8.
at::Tensor resize_bicubic(const at::Tensor& pixels, int64_t width, int64_t height);

/// The 8-bit network input [S,S,3]: squash, or shorter side and centre crop with zero padding.
at::Tensor resize_for(const at::Tensor& pixels, const ImageSpec& spec);

/// [H,W,3] uint8 -> [3,H,W] float32: /255, minus mean, by std.
at::Tensor normalise(const at::Tensor& pixels, const ImageSpec& spec);

/// resize_for then normalise: [3,S,S] float32.
at::Tensor preprocess(const Image& image, const ImageSpec& spec);

/// The crop baseline's cut (spec/01 section 3.1): corners rounded half to even, black outside the image, at
/// least one pixel.
Image crop_box(const Image& image, const Box& box);

/// A mask file as [H,W] bool: PNG with alpha: alpha > 0; without: any channel > 0 (spec/01 section 4.8).
at::Tensor read_mask(const std::filesystem::path& path);

}  // namespace patchioner
