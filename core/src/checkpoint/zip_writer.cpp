// Field layouts are those of PKWARE's APPNOTE.TXT 6.3, as in zip_archive.cpp.
#include "checkpoint/zip_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <concepts>

namespace patchioner {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", what PyTorch pads with
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kVersion20 = 20;
constexpr uint16_t kVersion45 = 45;  // zip64
constexpr uint32_t kInZip64 = 0xffffffff;
constexpr uint16_t kDate1980 = 0x0021;  // the same bytes for the same tensors: no clock

/// Little-endian fields put together.
class Record {
 public:
  template <std::unsigned_integral Number>
  Record& add(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Record& add(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

uint32_t or_zip64(uint64_t value) {
  return value >= kInZip64 ? kInZip64 : static_cast<uint32_t>(value);
}

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const void* data, uint64_t size) {
  Written entry{name, static_cast<uint32_t>(::crc32_z(0, static_cast<const Bytef*>(data), size)), size,
                position_};
  const bool large = size >= kInZip64;
  Record extra;
  if (large) {
    extra.add(kZip64Extra).add(uint16_t{16}).add(size).add(size);
  }
  constexpr uint64_t kHeader = 30;
  constexpr uint64_t kExtraHeader = 4;
  const uint64_t start = position_ + kHeader + name.size() + extra.bytes().size() + kExtraHeader;
  const auto padding = static_cast<uint16_t>((kAlignment - start % kAlignment) % kAlignment);
  extra.add(kPaddingExtra).add(padding).add(std::string(padding, 'Z'));
  Record header;
  header.add(uint32_t{0x04034b50})
      .add(large ? kVersion45 : kVersion20)
      .add(uint16_t{0})
      .add(uint16_t{0})
      .add(uint16_t{0})
      .add(kDate1980);
  header.add(entry.crc).add(or_zip64(size)).add(or_zip64(size));
  header.add(static_cast<uint16_t>(name.size()))
      .add(static_cast<uint16_t>(extra.bytes().size()))
      .add(name)
      .add(extra.bytes());
  write(header.bytes());
  file_.write(data, size);
  position_ += size;
  entries_.push_back(std::move(entry));
}

void ZipWriter::finish() {
  const uint64_t directory = position_;
  for (const Written& entry : entries_) {
    Record extra;
    if (entry.size >= kInZip64) {
      extra.add(entry.size).add(entry.size);
    }
    if (entry.header_offset >= kInZip64) {
      extra.add(entry.header_offset);
    }
    Record field;
    if (!extra.bytes().empty()) {
      field.add(kZip64Extra).add(static_cast<uint16_t>(extra.bytes().size())).add(extra.bytes());
    }
    const uint16_t version = extra.bytes().empty() ? kVersion20 : kVersion45;
    Record header;
    header.add(uint32_t{0x02014b50})
        .add(version)
        .add(version)
        .add(uint16_t{0})
        .add(uint16_t{0})
        .add(uint16_t{0})
        .add(kDate1980);
    header.add(entry.crc).add(or_zip64(entry.size)).add(or_zip64(entry.size));
    header.add(static_cast<uint16_t>(entry.name.size()))
        .add(static_cast<uint16_t>(field.bytes().size()))
        .add(uint16_t{0});
    header.add(uint16_t{0})
        .add(uint16_t{0})
        .add(uint32_t{0})
        .add(or_zip64(entry.header_offset))
        .add(entry.name)
        .add(field.bytes());
    write(header.bytes());
  }
  const uint64_t size = position_ - directory;
  const uint64_t count = entries_.size();
  if (directory >= kInZip64 || size >= kInZip64 || count >= 0xffff) {
    const uint64_t end = position_;
    Record zip64;
    zip64.add(uint32_t{0x06064b50})
        .add(uint64_t{44})
        .add(kVersion45)
        .add(kVersion45)
        .add(uint32_t{0})
        .add(uint32_t{0});
    zip64.add(count).add(count).add(size).add(directory);
    zip64.add(uint32_t{0x07064b50}).add(uint32_t{0}).add(end).add(uint32_t{1});
    write(zip64.bytes());
  }
  const auto short_count = static_cast<uint16_t>(std::min<uint64_t>(count, 0xffff));
  Record end;
  end.add(uint32_t{0x06054b50}).add(uint16_t{0}).add(uint16_t{0}).add(short_count).add(short_count);
  end.add(or_zip64(size)).add(or_zip64(directory)).add(uint16_t{0});
  write(end.bytes());
  file_.commit();
}

}  // namespace patchioner
