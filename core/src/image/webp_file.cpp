// WebP: OpenCV decodes still pictures; of an animation the first frame is taken out into a still picture of
// its own and laid on the canvas, as Pillow does (RIFF container,
// https://developers.google.com/speed/webp/docs/riff_container).
#include "image/image_file.hpp"

namespace patchioner {
namespace {

constexpr uint64_t kRiffHeader = 12;
constexpr uint64_t kChunkHeader = 8;
constexpr uint64_t kFrameHeader = 16;
constexpr uint8_t kFlagAlpha = 0x10;

struct Chunk {
  std::string_view type;
  uint64_t offset = 0;  ///< of the payload
  uint64_t size = 0;

  uint64_t next() const { return offset + size + size % 2; }
};

Chunk read_chunk(const ByteReader& reader, uint64_t offset) {
  Chunk chunk{reader.text(offset, 4), offset + kChunkHeader, reader.little(offset + 4, 4)};
  reader.slice(chunk.offset, chunk.size);
  return chunk;
}

void append(std::vector<std::byte>& target, std::string_view text) {
  for (const char c : text) {
    target.push_back(static_cast<std::byte>(c));
  }
}

void append_little(std::vector<std::byte>& target, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    target.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFF));
  }
}

struct Frame {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
  bool lossy = false;
  std::vector<std::byte> still;  ///< the frame as a WebP file
};

Frame read_frame(const ByteReader& reader, const Chunk& animation_frame, const std::string& name) {
  const uint64_t start = animation_frame.offset;
  const uint64_t end = start + animation_frame.size;
  Frame frame;
  frame.left = static_cast<int64_t>(2 * reader.little(start, 3));
  frame.top = static_cast<int64_t>(2 * reader.little(start + 3, 3));
  frame.width = static_cast<int64_t>(1 + reader.little(start + 6, 3));
  frame.height = static_cast<int64_t>(1 + reader.little(start + 9, 3));

  std::vector<std::byte> chunks;
  bool picture = false;
  for (uint64_t offset = start + kFrameHeader; offset + kChunkHeader <= end && !picture;) {
    const Chunk chunk = read_chunk(reader, offset);
    if (chunk.type == "ALPH") {
      append(chunks, "VP8X");
      append_little(chunks, 10, 4);
      append_little(chunks, kFlagAlpha, 4);
      append_little(chunks, frame.width - 1, 3);
      append_little(chunks, frame.height - 1, 3);
    }
    frame.lossy = chunk.type == "VP8 ";
    picture = frame.lossy || chunk.type == "VP8L";
    if (picture || chunk.type == "ALPH") {
      const ByteSpan bytes = reader.slice(offset, kChunkHeader + chunk.size);
      chunks.insert(chunks.end(), bytes.begin(), bytes.end());
      if (chunk.size % 2 == 1) {
        chunks.push_back(std::byte{0});
      }
    }
    offset = chunk.next();
  }
  if (!picture) {
    throw_damaged(name, "its first frame has no picture");
  }
  append(frame.still, "RIFF");
  append_little(frame.still, 4 + chunks.size(), 4);
  append(frame.still, "WEBP");
  frame.still.insert(frame.still.end(), chunks.begin(), chunks.end());
  return frame;
}

/// The pixels of the whole canvas; `lossy` says how they are stored.
cv::Mat decode_first_frame(const ByteReader& reader, const Chunk& animation_frame, int64_t width,
                           int64_t height, const std::string& name, bool& lossy) {
  const Frame frame = read_frame(reader, animation_frame, name);
  lossy = frame.lossy;
  const cv::Mat picture = decode_with_opencv(frame.still, name);
  const bool fits = picture.cols == frame.width && picture.rows == frame.height &&
                    frame.left + frame.width <= width && frame.top + frame.height <= height;
  if (!fits) {
    throw_damaged(name, "its first frame does not fit its canvas");
  }
  cv::Mat canvas = cv::Mat::zeros(static_cast<int>(height), static_cast<int>(width), picture.type());
  picture.copyTo(canvas(
      cv::Rect(static_cast<int>(frame.left), static_cast<int>(frame.top), picture.cols, picture.rows)));
  return canvas;
}

}  // namespace

DecodedPixels decode_webp(ByteSpan bytes, const std::string& name) {
  const ByteReader reader(bytes, name);
  const uint64_t end = kChunkHeader + reader.little(4, 4);
  reader.slice(0, end);

  DecodedPixels decoded;
  int64_t width = 0;
  int64_t height = 0;
  bool animated = false;
  bool lossy = false;
  for (uint64_t offset = kRiffHeader; offset + kChunkHeader <= end;) {
    const Chunk chunk = read_chunk(reader, offset);
    if (chunk.type == "VP8X") {
      width = static_cast<int64_t>(1 + reader.little(chunk.offset + 4, 3));
      height = static_cast<int64_t>(1 + reader.little(chunk.offset + 7, 3));
    } else if (chunk.type == "VP8 " && width == 0) {
      width = static_cast<int64_t>(reader.little(chunk.offset + 6, 2) & 0x3FFF);
      height = static_cast<int64_t>(reader.little(chunk.offset + 8, 2) & 0x3FFF);
    } else if (chunk.type == "VP8L" && width == 0) {
      const uint64_t packed = reader.little(chunk.offset + 1, 4);
      width = static_cast<int64_t>(1 + (packed & 0x3FFF));
      height = static_cast<int64_t>(1 + (packed >> 14 & 0x3FFF));
    } else if (chunk.type == "ANMF" && !animated) {
      animated = true;
      check_image_size(width, height, name);
      decoded.pixels = decode_first_frame(reader, chunk, width, height, name, lossy);
    } else if (chunk.type == "EXIF") {
      decoded.orientation = exif_orientation(reader.slice(chunk.offset, chunk.size));
    }
    lossy = lossy || chunk.type == "VP8 ";
    offset = chunk.next();
  }
  check_image_size(width, height, name);
  if (!animated) {
    decoded.pixels = decode_with_opencv(bytes, name);
  }
  if (lossy && decoded.pixels.channels() != 4) {  // an alpha channel is stored apart, exactly
    decoded.lossy_format = "lossy WebP";
  }
  return decoded;
}

}  // namespace patchioner
