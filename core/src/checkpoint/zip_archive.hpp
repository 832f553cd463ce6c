// ZIP archives, read in place: what PyTorch writes (stored entries), what people make of it (deflated
// entries), zip64.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/tensor_bytes.hpp"
#include "support/files.hpp"

namespace patchioner {

/// One line of the archive's directory.
struct ZipEntry {
  std::string name;
  uint16_t flags = 0;
  uint16_t method = 0;  ///< 0 stored, 8 deflated
  uint32_t crc = 0;
  uint64_t compressed_size = 0;
  uint64_t size = 0;
  uint64_t header_offset = 0;
};

/// Whether the bytes begin as a ZIP archive does.
bool looks_like_zip(std::span<const std::byte> bytes);

/// A checked directory over a mapped file. Every problem throws an Error of kind checkpoint that names file
/// and entry. [any-thread]
class ZipArchive {
 public:
  /// Reads and checks the directory; refuses archives in several parts and two entries of one name.
  static std::shared_ptr<const ZipArchive> open(std::shared_ptr<const MappedFile> file);

  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// The entry of that name, or nullptr.
  const ZipEntry* find(std::string_view name) const;

  /// Checks what can be checked without reading the data: local header, method, encryption, place in the
  /// file.
  void check(const ZipEntry& entry) const { locate(entry); }

  /// The content: in place for stored entries, inflated for deflated ones. The checksum is verified on the
  /// first read.
  ByteRange read(const ZipEntry& entry) const;

  const std::shared_ptr<const MappedFile>& file() const { return file_; }

 private:
  explicit ZipArchive(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}
  void read_directory();
  std::span<const std::byte> locate(const ZipEntry& entry) const;
  ByteRange inflate(const ZipEntry& entry, std::span<const std::byte> compressed) const;
  void check_crc(const ZipEntry& entry, std::span<const std::byte> content) const;

  std::shared_ptr<const MappedFile> file_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> index_;
  std::unique_ptr<std::atomic<bool>[]> verified_;
  // The entry inflated last: tensors that share a storage stand beside one another.
  mutable std::mutex mutex_;
  mutable const ZipEntry* last_entry_ = nullptr;
  mutable ByteRange last_content_;
};

}  // namespace patchioner
