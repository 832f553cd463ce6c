// BMP: OpenCV decodes; here the size and the end are checked.
#include <cstdlib>

#include "image/image_file.hpp"

namespace patchioner {

DecodedPixels decode_bmp(ByteSpan bytes, const std::string& name) {
  constexpr uint64_t kCoreHeader = 12;  // the OS/2 header, with 16-bit sizes
  const ByteReader reader(bytes, name);
  const uint64_t pixel_offset = reader.little(10, 4);
  const uint64_t header = reader.little(14, 4);
  int64_t width = 0;
  int64_t height = 0;
  uint64_t bits = 0;
  uint64_t compression = 0;
  if (header == kCoreHeader) {
    width = static_cast<int64_t>(reader.little(18, 2));
    height = static_cast<int64_t>(reader.little(20, 2));
    bits = reader.little(24, 2);
  } else {
    width = static_cast<int32_t>(reader.little(18, 4));
    height = std::abs(
        static_cast<int64_t>(static_cast<int32_t>(reader.little(22, 4))));  // negative: rows from the top
    bits = reader.little(28, 2);
    compression = reader.little(30, 4);
  }
  check_image_size(width, height, name);
  const bool run_length = compression == 1 || compression == 2;
  if (!run_length) {
    const uint64_t row_bytes = (static_cast<uint64_t>(width) * bits + 31) / 32 * 4;
    reader.slice(pixel_offset, row_bytes * static_cast<uint64_t>(height));
  }
  DecodedPixels decoded;
  decoded.pixels = decode_with_opencv(bytes, name);
  return decoded;
}

}  // namespace patchioner
