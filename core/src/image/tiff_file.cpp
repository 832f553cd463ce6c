// TIFF files, and the TIFF structure that EXIF blocks are made of (TIFF 6.0 section 2: header, directories of
// 12-byte entries).
#include <algorithm>
#include <array>

#include "image/image_file.hpp"

namespace patchioner {
namespace {

constexpr uint64_t kTagImageWidth = 256;
constexpr uint64_t kTagImageLength = 257;
constexpr uint64_t kTagOrientation = 274;
constexpr uint64_t kTagStripOffsets = 273;
constexpr uint64_t kTagStripByteCounts = 279;
constexpr uint64_t kTagTileOffsets = 324;
constexpr uint64_t kTagTileByteCounts = 325;
constexpr uint64_t kTypeShort = 3;
constexpr uint64_t kTypeLong = 4;
constexpr uint64_t kMagic = 42;
constexpr uint64_t kMagicBig = 43;
constexpr uint64_t kEntrySize = 12;
constexpr uint64_t kValueSize = 4;  // values of up to 4 bytes stand in the entry, longer ones elsewhere
// Bytes of a value of type 1 (BYTE) ... 12 (DOUBLE); 0 for what the standard does not know.
constexpr std::array<uint64_t, 13> kTypeSizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};

/// One entry of a directory.
struct Entry {
  uint64_t tag = 0;
  uint64_t type = 0;
  uint64_t count = 0;
  uint64_t offset = 0;  ///< of its values in the file
};

class DirectoryReader {
 public:
  DirectoryReader(ByteSpan bytes, const std::string& name) : reader_(bytes, name) {
    little_ = reader_.text(0, 2) == "II";
    const uint64_t magic = integer(2, 2);
    if (magic == kMagicBig) {
      throw Error(ErrorKind::data, "{}: BigTIFF files are not read; save it as an ordinary TIFF or PNG",
                  name);
    }
    if (magic != kMagic) {
      throw_damaged(name, "its TIFF header is wrong");
    }
    start_ = integer(4, 4);
    count_ = integer(start_, 2);
  }

  uint64_t count() const { return count_; }

  Entry entry(uint64_t index) const {
    const uint64_t place = start_ + 2 + index * kEntrySize;
    Entry entry{integer(place, 2), integer(place + 2, 2), integer(place + 4, 4), place + 8};
    if (entry.count * size_of(entry) > kValueSize) {
      entry.offset = integer(place + 8, 4);
    }
    return entry;
  }

  uint64_t size_of(const Entry& entry) const {
    return entry.type < kTypeSizes.size() ? kTypeSizes[entry.type] : 0;
  }

  /// One value of an entry of SHORTs or LONGs.
  uint64_t value(const Entry& entry, uint64_t index) const {
    const uint64_t size = size_of(entry);
    return integer(entry.offset + index * size, static_cast<int>(size));
  }

  const ByteReader& bytes() const { return reader_; }

 private:
  uint64_t integer(uint64_t offset, int size) const {
    return little_ ? reader_.little(offset, size) : reader_.big(offset, size);
  }

  ByteReader reader_;
  bool little_ = true;
  uint64_t start_ = 0;
  uint64_t count_ = 0;
};

bool holds_integers(const Entry& entry) {
  return (entry.type == kTypeShort || entry.type == kTypeLong) && entry.count > 0;
}

/// Throws when values or pixels lie beyond the end of the file, where libtiff would go on with what there is.
void check_complete(const DirectoryReader& directory) {
  Entry offsets;
  Entry sizes;
  for (uint64_t i = 0; i < directory.count(); ++i) {
    const Entry entry = directory.entry(i);
    directory.bytes().slice(entry.offset, entry.count * directory.size_of(entry));
    if (entry.tag == kTagStripOffsets || entry.tag == kTagTileOffsets) {
      offsets = entry;
    } else if (entry.tag == kTagStripByteCounts || entry.tag == kTagTileByteCounts) {
      sizes = entry;
    }
  }
  if (holds_integers(offsets) && holds_integers(sizes)) {
    for (uint64_t i = 0; i < std::min(offsets.count, sizes.count); ++i) {
      directory.bytes().slice(directory.value(offsets, i), directory.value(sizes, i));
    }
  }
}

}  // namespace

TiffDirectory read_tiff_directory(ByteSpan bytes, const std::string& name) {
  const DirectoryReader reader(bytes, name);
  TiffDirectory directory;
  for (uint64_t i = 0; i < reader.count(); ++i) {
    const Entry entry = reader.entry(i);
    const bool wanted =
        entry.tag == kTagImageWidth || entry.tag == kTagImageLength || entry.tag == kTagOrientation;
    if (!wanted || !holds_integers(entry)) {
      continue;
    }
    const auto value = static_cast<int64_t>(reader.value(entry, 0));
    if (entry.tag == kTagImageWidth) {
      directory.width = value;
    } else if (entry.tag == kTagImageLength) {
      directory.height = value;
    } else if (value >= 1 && value <= 8) {
      directory.orientation = static_cast<int>(value);
    }
  }
  return directory;
}

int exif_orientation(ByteSpan bytes) {
  try {
    return read_tiff_directory(bytes, "EXIF block").orientation;
  } catch (const Error&) {
    return kUpright;
  }
}

DecodedPixels decode_tiff(ByteSpan bytes, const std::string& name) {
  const TiffDirectory directory = read_tiff_directory(bytes, name);
  check_image_size(directory.width, directory.height, name);
  check_complete(DirectoryReader(bytes, name));
  DecodedPixels decoded;
  decoded.pixels = decode_with_opencv(bytes, name);
  // A TIFF's orientation says how its rows are stored, not how a camera was held: it is applied by every
  // decoder, Pillow and OpenCV alike, and nothing is left to apply.
  return decoded;
}

}  // namespace patchioner
