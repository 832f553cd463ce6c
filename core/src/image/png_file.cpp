// PNG: the chunks are walked here, so that a missing end or a wrong checksum is one clear sentence, and only
// the chunks that hold pixels are handed to OpenCV: the others are where libpng's complaints about colour
// profiles and oversized texts come from.
#include <zlib.h>

#include <array>
#include <cstring>

#include "image/image_file.hpp"

namespace patchioner {
namespace {

constexpr uint64_t kSignatureSize = 8;
constexpr uint64_t kChunkFrame = 12;  // length, type, checksum
constexpr std::array<std::string_view, 5> kPixelChunks = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"};

uint64_t checksum(ByteSpan bytes) {
  return crc32(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()),
               static_cast<uInt>(bytes.size()));
}

}  // namespace

DecodedPixels decode_png(ByteSpan bytes, const std::string& name) {
  const ByteReader reader(bytes, name);
  DecodedPixels decoded;
  std::vector<std::byte> kept(bytes.begin(), bytes.begin() + kSignatureSize);
  kept.reserve(bytes.size());
  bool first = true;
  bool pixels = false;
  bool end = false;
  for (uint64_t offset = kSignatureSize; !end;) {
    if (offset == bytes.size()) {
      throw_truncated(name, "the closing IEND chunk is missing");
    }
    const uint64_t length = reader.big(offset, 4);
    const std::string_view type = reader.text(offset + 4, 4);
    const ByteSpan chunk = reader.slice(offset, kChunkFrame + length);
    if (first && type != "IHDR") {
      throw_damaged(name, "its first chunk is not IHDR");
    }
    if (first) {
      check_image_size(static_cast<int64_t>(reader.big(offset + 8, 4)),
                       static_cast<int64_t>(reader.big(offset + 12, 4)), name);
    }
    first = false;
    if (std::find(kPixelChunks.begin(), kPixelChunks.end(), type) != kPixelChunks.end()) {
      if (checksum(reader.slice(offset + 4, length + 4)) != reader.big(offset + 8 + length, 4)) {
        throw_damaged(name, fmt::format("the checksum of its {} chunk at byte {} is wrong", type, offset));
      }
      kept.insert(kept.end(), chunk.begin(), chunk.end());
    } else if (type == "eXIf") {
      decoded.orientation = exif_orientation(reader.slice(offset + 8, length));
    }
    pixels = pixels || type == "IDAT";
    end = type == "IEND";
    offset += chunk.size();
  }
  if (!pixels) {
    throw_damaged(name, "it has no IDAT chunk, that is, no pixels");
  }
  decoded.pixels = decode_with_opencv(kept, name);
  return decoded;
}

}  // namespace patchioner
