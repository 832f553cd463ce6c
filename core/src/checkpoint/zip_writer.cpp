// Field layouts are those of PKWARE's APPNOTE.TXT 6.3, as in zip_archive.cpp.
#include "checkpoint/zip_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <concepts>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", what PyTorch pads with
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kVersion20 = 20;
constexpr uint16_t kVersion45 = 45;  // zip64
constexpr uint32_t kInZip64 = 0xffffffff;
constexpr uint16_t kDeflated = 8;
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

uint32_t checksum(const void* data, uint64_t size) {
  return static_cast<uint32_t>(::crc32_z(0, static_cast<const Bytef*>(data), size));
}

/// The deflate stream of some bytes, without a header of its own.
std::string raw_deflate(const void* data, uint64_t size) {
  if (size >= kInZip64) {
    throw Error(ErrorKind::internal, "an entry of {} bytes is too large to be deflated", size);
  }
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error(ErrorKind::internal, "zlib could not be set up to deflate");
  }
  std::string bytes(::deflateBound(&stream, static_cast<uLong>(size)), '\0');
  stream.next_in = static_cast<Bytef*>(const_cast<void*>(data));
  stream.avail_in = static_cast<uInt>(size);
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  const int result = ::deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (result != Z_STREAM_END) {
    throw Error(ErrorKind::internal, "zlib could not deflate {} bytes", size);
  }
  return bytes;
}

uint16_t method_of(uint64_t size, uint64_t stored_size) {
  return stored_size < size ? kDeflated : uint16_t{0};
}

uint32_t or_zip64(uint64_t value) {
  return value >= kInZip64 ? kInZip64 : static_cast<uint32_t>(value);
}

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const void* data, uint64_t size) {
  add_entry({name, checksum(data, size), size, size, position_}, data);
}

void ZipWriter::add_deflated(const std::string& name, const void* data, uint64_t size) {
  const std::string deflated = raw_deflate(data, size);
  if (deflated.size() < size) {
    add_entry({name, checksum(data, size), size, deflated.size(), position_}, deflated.data());
  } else {
    add(name, data, size);
  }
}

void ZipWriter::add_entry(Written entry, const void* stored) {
  const std::string& name = entry.name;
  const bool large = entry.size >= kInZip64;
  Record extra;
  if (large) {
    extra.add(kZip64Extra).add(uint16_t{16}).add(entry.size).add(entry.stored_size);
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
      .add(method_of(entry.size, entry.stored_size))
      .add(uint16_t{0})
      .add(kDate1980);
  header.add(entry.crc)
      .add(large ? kInZip64 : static_cast<uint32_t>(entry.stored_size))
      .add(or_zip64(entry.size));
  header.add(static_cast<uint16_t>(name.size()))
      .add(static_cast<uint16_t>(extra.bytes().size()))
      .add(name)
      .add(extra.bytes());
  write(header.bytes());
  file_.write(stored, entry.stored_size);
  position_ += entry.stored_size;
  entries_.push_back(std::move(entry));
}

void ZipWriter::finish() {
  const uint64_t directory = position_;
  for (const Written& entry : entries_) {
    Record extra;
    if (entry.size >= kInZip64) {
      extra.add(entry.size).add(entry.stored_size);
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
        .add(method_of(entry.size, entry.stored_size))
        .add(uint16_t{0})
        .add(kDate1980);
    header.add(entry.crc)
        .add(entry.size >= kInZip64 ? kInZip64 : static_cast<uint32_t>(entry.stored_size))
        .add(or_zip64(entry.size));
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
