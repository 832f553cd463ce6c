// What each image file format needs beyond a decoder: its size before anything is allocated, its orientation,
// and whether all of it is there. OpenCV decodes PNG, WebP, BMP and TIFF; JPEG and GIF go to their own
// libraries, since OpenCV fills what is missing of a JPEG with grey without saying so, and does not read GIF.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <patchioner/error.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

using ByteSpan = std::span<const std::byte>;

/// The orientation that a camera noted: 1 upright ... 8, as in EXIF tag 0x0112.
constexpr int kUpright = 1;

/// Pixels as they came out of the file: 8 or 16 bits, 1, 3 or 4 channels in OpenCV's order (BGR, BGRA).
struct DecodedPixels {
  cv::Mat pixels;
  int orientation = kUpright;
  /// "JPEG" where no pixel keeps its exact value, and neither does an alpha channel; otherwise null.
  const char* lossy_format = nullptr;
};

/// Reads integers at an offset; throws an Error of kind data ("... is truncated") for an offset beyond the
/// end.
class ByteReader {
 public:
  ByteReader(ByteSpan bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  ByteSpan slice(uint64_t offset, uint64_t size) const;
  std::string_view text(uint64_t offset, uint64_t size) const;
  uint64_t little(uint64_t offset, int bytes) const;
  uint64_t big(uint64_t offset, int bytes) const;

 private:
  ByteSpan bytes_;
  const std::string& name_;
};

[[noreturn]] void throw_truncated(const std::string& name, const std::string& what);
[[noreturn]] void throw_damaged(const std::string& name, const std::string& what);

/// Throws an Error of kind data for no pixels or more than kMostPixels.
void check_image_size(int64_t width, int64_t height, const std::string& name);

/// The first directory of a TIFF structure: a TIFF file, or the EXIF block inside another format.
struct TiffDirectory {
  int64_t width = 0;  ///< 0 when the tag is absent, as in most EXIF blocks
  int64_t height = 0;
  int orientation = kUpright;
};
TiffDirectory read_tiff_directory(ByteSpan bytes, const std::string& name);

/// The orientation in an EXIF block; a block that cannot be read is upright, since EXIF is only a side note.
int exif_orientation(ByteSpan bytes);

DecodedPixels decode_jpeg(ByteSpan bytes, const std::string& name);
DecodedPixels decode_png(ByteSpan bytes, const std::string& name);
DecodedPixels decode_webp(ByteSpan bytes, const std::string& name);
DecodedPixels decode_gif(ByteSpan bytes, const std::string& name);
DecodedPixels decode_bmp(ByteSpan bytes, const std::string& name);
DecodedPixels decode_tiff(ByteSpan bytes, const std::string& name);

/// OpenCV's decoder on a whole file, nothing converted; throws an Error of kind data when it refuses.
cv::Mat decode_with_opencv(ByteSpan bytes, const std::string& name);

/// Decodes whatever the first bytes say the file is.
DecodedPixels decode_any(ByteSpan bytes, const std::string& name);

}  // namespace patchioner
