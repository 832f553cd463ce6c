// Field layouts are those of PKWARE's APPNOTE.TXT 6.3; section numbers below are that document's.
#include "checkpoint/zip_archive.hpp"

#include <zlib.h>

#include <cstring>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;      // 4.3.7
constexpr uint32_t kDirectoryHeader = 0x02014b50;  // 4.3.12
constexpr uint32_t kZip64End = 0x06064b50;         // 4.3.14
constexpr uint32_t kZip64Locator = 0x07064b50;     // 4.3.15
constexpr uint32_t kEnd = 0x06054b50;              // 4.3.16
constexpr size_t kLocalHeaderSize = 30;
constexpr size_t kDirectoryHeaderSize = 46;
constexpr size_t kZip64EndSize = 56;
constexpr size_t kZip64LocatorSize = 20;
constexpr size_t kEndSize = 22;
constexpr size_t kLongestComment = 65535;
constexpr uint16_t kZip64Extra = 0x0001;  // 4.5.3
constexpr uint16_t kEncrypted = 1 << 0;   // 4.4.4
constexpr uint16_t kHasDescriptor = 1 << 3;
constexpr uint32_t kInZip64 = 0xffffffff;
constexpr uint64_t kMostInflation = 1032;  // what deflate can reach at most (zlib's technical page)

/// Little-endian numbers at checked places.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class Number>
  Number at(uint64_t offset) const {
    Number number = 0;
    std::memcpy(&number, bytes_.data() + offset, sizeof number);
    return number;
  }
  bool has(uint64_t offset, uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  std::string_view text(uint64_t offset, size_t size) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + offset, size};
  }
  size_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

template <class... Arguments>
[[noreturn]] void refuse(const MappedFile& file, fmt::format_string<Arguments...> format,
                         Arguments&&... arguments) {
  throw Error(ErrorKind::checkpoint, "{}: damaged archive: {}", file.path().string(),
              fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// Finds the directory through the end record, which lies before a comment of unknown length.
Directory find_directory(const MappedFile& file, const Fields& fields) {
  if (fields.size() < kEndSize) {
    refuse(file, "{} bytes are too few", fields.size());
  }
  const uint64_t last = fields.size() - kEndSize;
  const uint64_t first = last > kLongestComment ? last - kLongestComment : 0;
  uint64_t end = last + 1;
  while (end-- > first) {
    if (fields.at<uint32_t>(end) == kEnd && end + kEndSize + fields.at<uint16_t>(end + 20) <= fields.size()) {
      break;
    }
  }
  if (end + 1 == first || fields.at<uint32_t>(end) != kEnd) {
    refuse(file, "the directory at its end is missing, so the file is cut short; fetch or write it again");
  }
  Directory directory{fields.at<uint32_t>(end + 16), fields.at<uint32_t>(end + 12),
                      fields.at<uint16_t>(end + 10)};
  uint32_t disks = fields.at<uint16_t>(end + 4);
  if (end >= kZip64LocatorSize && fields.at<uint32_t>(end - kZip64LocatorSize) == kZip64Locator) {
    const auto zip64 = fields.at<uint64_t>(end - kZip64LocatorSize + 8);
    if (!fields.has(zip64, kZip64EndSize) || fields.at<uint32_t>(zip64) != kZip64End) {
      refuse(file, "its zip64 end record is not where it should be");
    }
    directory = {fields.at<uint64_t>(zip64 + 48), fields.at<uint64_t>(zip64 + 40),
                 fields.at<uint64_t>(zip64 + 32)};
    disks = fields.at<uint32_t>(zip64 + 16);
  }
  if (disks != 0) {
    refuse(file, "it is one part of an archive in several parts");
  }
  if (!fields.has(directory.offset, directory.size) ||
      directory.entries > directory.size / kDirectoryHeaderSize) {
    refuse(file, "its directory reaches past the end of the file");
  }
  return directory;
}

/// Sizes and offset of an entry that do not fit 32 bits, from the extra field.
void apply_zip64(const MappedFile& file, const Fields& fields, uint64_t extra, size_t extra_size,
                 ZipEntry& entry) {
  const uint64_t end = extra + extra_size;
  while (extra + 4 <= end) {
    const auto id = fields.at<uint16_t>(extra);
    const auto size = fields.at<uint16_t>(extra + 2);
    extra += 4;
    if (size > end - extra) {
      break;
    }
    if (id == kZip64Extra) {
      uint64_t next = extra;
      for (uint64_t* field : {&entry.size, &entry.compressed_size, &entry.header_offset}) {
        if (*field == kInZip64) {
          if (next + 8 > extra + size) {
            refuse(file, "entry '{}' has a short zip64 field", entry.name);
          }
          *field = fields.at<uint64_t>(next);
          next += 8;
        }
      }
      return;
    }
    extra += size;
  }
}

}  // namespace

bool looks_like_zip(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'K'} &&
         (bytes[2] == std::byte{3} || bytes[2] == std::byte{5});
}

std::shared_ptr<const ZipArchive> ZipArchive::open(std::shared_ptr<const MappedFile> file) {
  std::shared_ptr<ZipArchive> archive(new ZipArchive(std::move(file)));
  archive->read_directory();
  return archive;
}

void ZipArchive::read_directory() {
  const Fields fields(file_->bytes());
  const Directory directory = find_directory(*file_, fields);
  const uint64_t end = directory.offset + directory.size;
  uint64_t position = directory.offset;
  entries_.reserve(directory.entries);
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (end - position < kDirectoryHeaderSize || fields.at<uint32_t>(position) != kDirectoryHeader) {
      refuse(*file_, "its directory ends after {} of {} entries", i, directory.entries);
    }
    const size_t name_size = fields.at<uint16_t>(position + 28);
    const size_t extra_size = fields.at<uint16_t>(position + 30);
    const size_t comment_size = fields.at<uint16_t>(position + 32);
    if (end - position - kDirectoryHeaderSize < name_size + extra_size + comment_size) {
      refuse(*file_, "its directory ends within entry {}", i);
    }
    ZipEntry entry;
    entry.flags = fields.at<uint16_t>(position + 8);
    entry.method = fields.at<uint16_t>(position + 10);
    entry.crc = fields.at<uint32_t>(position + 16);
    entry.compressed_size = fields.at<uint32_t>(position + 20);
    entry.size = fields.at<uint32_t>(position + 24);
    entry.header_offset = fields.at<uint32_t>(position + 42);
    entry.name = fields.text(position + kDirectoryHeaderSize, name_size);
    apply_zip64(*file_, fields, position + kDirectoryHeaderSize + name_size, extra_size, entry);
    entries_.push_back(std::move(entry));
    position += kDirectoryHeaderSize + name_size + extra_size + comment_size;
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!index_.emplace(entries_[i].name, i).second) {
      refuse(*file_, "two entries are called '{}'", entries_[i].name);
    }
  }
  verified_ = std::make_unique<std::atomic<bool>[]>(entries_.size());
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipArchive::locate(const ZipEntry& entry) const {
  const Fields fields(file_->bytes());
  if ((entry.flags & kEncrypted) != 0) {
    refuse(*file_, "entry '{}' is encrypted; unpack the archive and pack it without a password", entry.name);
  }
  if (entry.method != 0 && entry.method != Z_DEFLATED) {
    refuse(*file_, "entry '{}' is packed by method {}; only stored and deflated entries are read", entry.name,
           entry.method);
  }
  if (!fields.has(entry.header_offset, kLocalHeaderSize) ||
      fields.at<uint32_t>(entry.header_offset) != kLocalHeader) {
    refuse(*file_, "entry '{}' is not where the directory says", entry.name);
  }
  // Name and extra field may be longer here than in the directory: PyTorch aligns the data by the local extra
  // field.
  const uint64_t name = entry.header_offset + kLocalHeaderSize;
  const size_t name_size = fields.at<uint16_t>(entry.header_offset + 26);
  const uint64_t start = name + name_size + fields.at<uint16_t>(entry.header_offset + 28);
  if (!fields.has(start, entry.compressed_size)) {
    refuse(*file_, "entry '{}' reaches past the end of the file", entry.name);
  }
  if (fields.text(name, name_size) != entry.name ||
      fields.at<uint16_t>(entry.header_offset + 8) != entry.method) {
    refuse(*file_, "entry '{}' is called otherwise in the directory", entry.name);
  }
  const auto local_size = fields.at<uint32_t>(entry.header_offset + 22);
  const bool size_is_here =
      (fields.at<uint16_t>(entry.header_offset + 6) & kHasDescriptor) == 0 && local_size != kInZip64;
  if ((size_is_here && local_size != entry.size) ||
      (entry.method == 0 && entry.size != entry.compressed_size)) {
    refuse(*file_, "entry '{}' has two different sizes", entry.name);
  }
  if (entry.method == Z_DEFLATED && entry.size / kMostInflation > entry.compressed_size) {
    refuse(*file_, "entry '{}' claims to inflate from {} to {} bytes, which deflate cannot do", entry.name,
           entry.compressed_size, entry.size);
  }
  return file_->bytes().subspan(start, entry.compressed_size);
}

ByteRange ZipArchive::read(const ZipEntry& entry) const {
  const auto stored = locate(entry);
  if (entry.method == 0) {
    check_crc(entry, stored);
    return {stored, file_};
  }
  const std::lock_guard lock(mutex_);
  if (last_entry_ != &entry) {
    last_content_ = {};
    last_content_ = inflate(entry, stored);
    last_entry_ = &entry;
  }
  return last_content_;
}

ByteRange ZipArchive::inflate(const ZipEntry& entry, std::span<const std::byte> compressed) const {
  const std::shared_ptr<std::byte[]> content(new std::byte[std::max<uint64_t>(entry.size, 1)]);
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    throw Error(ErrorKind::internal, "{}: zlib cannot be started", file_->path().string());
  }
  constexpr uint64_t kMostAtOnce = uint64_t{1} << 30;  // zlib counts in 32 bits
  uint64_t read = 0;
  uint64_t written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const uint64_t input = std::min(compressed.size() - read, kMostAtOnce);
    const uint64_t room = std::min(entry.size - written, kMostAtOnce);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(compressed.data() + read));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef*>(content.get() + written);
    stream.avail_out = static_cast<uInt>(room);
    status = ::inflate(&stream, Z_NO_FLUSH);
    read += input - stream.avail_in;
    written += room - stream.avail_out;
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || written != entry.size) {
    refuse(*file_, "entry '{}' does not inflate to the {} bytes that it claims", entry.name, entry.size);
  }
  const std::span<const std::byte> bytes(content.get(), entry.size);
  check_crc(entry, bytes);
  return {bytes, content};
}

void ZipArchive::check_crc(const ZipEntry& entry, std::span<const std::byte> content) const {
  std::atomic<bool>& verified = verified_[static_cast<size_t>(&entry - entries_.data())];
  if (verified.load(std::memory_order_relaxed)) {
    return;
  }
  const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (crc != entry.crc) {
    refuse(*file_, "entry '{}' fails its checksum; fetch or write the file again", entry.name);
  }
  verified.store(true, std::memory_order_relaxed);
}

}  // namespace patchioner
