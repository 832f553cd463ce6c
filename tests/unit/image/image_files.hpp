// What the tests of the image folder share: the samples, and files made on the spot.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <filesystem>
#include <patchioner/error.hpp>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

namespace patchioner::test {

inline std::filesystem::path sample(const std::string& name) {
  return std::filesystem::path(PATCHIONER_SOURCE_DIR) / "tests/unit/image/samples" / name;
}

/// The sample's first `size` bytes (all by default) as an image.
inline Image decode(const std::string& bytes, ExifOrientation orientation = ExifOrientation::ignore) {
  return decode_image({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "test image",
                      orientation);
}

/// The sentence of the Error that decoding throws, or empty.
inline std::string refusal(const std::string& bytes) {
  try {
    decode(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// The pixels that samples/README.md names: [height,width,3] uint8.
inline at::Tensor pattern(int64_t width, int64_t height) {
  const at::Tensor x = at::arange(width).view({1, width}).expand({height, width});
  const at::Tensor y = at::arange(height).view({height, 1}).expand({height, width});
  return at::stack({x * 37, y * 53, x * 11 + y * 29}, 2).remainder(256).to(at::kByte);
}

inline std::string big_endian(uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift & 0xFF));
  }
  return text;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(checksum));
}

/// A PNG of 8-bit samples: colour type 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA. `rows` are the bytes of all
/// rows, one after another.
inline std::string make_png(uint32_t width, uint32_t height, int colour_type, const std::string& rows) {
  const std::string header =
      big_endian(width) + big_endian(height) + std::string{8, static_cast<char>(colour_type), 0, 0, 0};
  std::string filtered;
  const size_t row_bytes = height == 0 ? 0 : rows.size() / height;
  for (size_t start = 0; row_bytes > 0 && start < rows.size(); start += row_bytes) {
    filtered += std::string(1, '\0') + rows.substr(start, row_bytes);
  }
  uLongf size = compressBound(filtered.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(filtered.data()),
           filtered.size());
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

}  // namespace patchioner::test
