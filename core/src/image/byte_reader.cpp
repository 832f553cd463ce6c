#include "image/image.hpp"
#include "image/image_file.hpp"

namespace patchioner {

void throw_truncated(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::data, "{}: the image is truncated: {}; copy or download the file again", name, what);
}

void throw_damaged(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::data, "{}: the image is damaged: {}; copy or download the file again", name, what);
}

void check_image_size(int64_t width, int64_t height, const std::string& name) {
  if (width < 1 || height < 1) {
    throw Error(ErrorKind::data, "{}: the image has no pixels ({}x{})", name, width, height);
  }
  if (height > kMostPixels / width) {
    throw Error(ErrorKind::data,
                "{}: the image is too large: {}x{} pixels, at most {} pixels are read; make it smaller first",
                name, width, height, kMostPixels);
  }
}

ByteSpan ByteReader::slice(uint64_t offset, uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) {
    throw_truncated(name_, fmt::format("it ends after {} bytes, where byte {} belongs to it", bytes_.size(),
                                       offset + size));
  }
  return bytes_.subspan(offset, size);
}

std::string_view ByteReader::text(uint64_t offset, uint64_t size) const {
  const ByteSpan bytes = slice(offset, size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t ByteReader::little(uint64_t offset, int bytes) const {
  const ByteSpan source = slice(offset, bytes);
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) {
    value = value << 8 | std::to_integer<uint64_t>(source[i]);
  }
  return value;
}

uint64_t ByteReader::big(uint64_t offset, int bytes) const {
  const ByteSpan source = slice(offset, bytes);
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value = value << 8 | std::to_integer<uint64_t>(source[i]);
  }
  return value;
}

}  // namespace patchioner
