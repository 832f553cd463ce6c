// Files: mapped for reading, written to a temporary name and renamed, so that a reader never sees half a file
// and a failed write loses nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace patchioner {

/// A whole file mapped into memory, read-only. Throws an Error of kind io when it cannot be opened ("no such
/// file", a folder, permission). The mapping lives as long as any copy of the shared pointer.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

  /// Lets go of the memory that the pages read so far take up; they are read again when they are needed.
  /// Pages that were changed in place are kept; nobody may be changing one meanwhile.
  void release_pages() const { release_pages(0, size_); }

  /// The same for the pages that lie wholly or partly within `count` bytes from `begin` on.
  void release_pages(size_t begin, size_t count) const;

 private:
  MappedFile(std::filesystem::path path, const void* data, size_t size);
  std::filesystem::path path_;
  const void* data_ = nullptr;
  size_t size_ = 0;
};

/// The content of a file, read into memory: unlike a mapping it stands a file that shrinks and a disk that
/// fails while it is in use. Errors as MappedFile::open, and io when reading fails.
std::string read_file(const std::filesystem::path& path);

/// Writes a file under a temporary name beside its target and renames it on commit(). Without commit()
/// nothing is left behind. Every failure (no folder, read-only, disk full, also at commit) throws an Error of
/// kind io that names the target.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Overwrites bytes written before, for headers whose content is known last.
  void write_at(uint64_t offset, const void* data, size_t size);

  /// Flushes to disk and renames.
  void commit();

 private:
  void flush_buffer();
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::string buffer_;
};

/// Makes the folder that `file` lies in, with all above it, when it is not there; throws an Error of kind io
/// that names it when it cannot be made. For files that a user asked for: a run of an hour should not end for
/// the want of a folder.
void make_folder_of(const std::filesystem::path& file);

/// Takes away what killed processes left behind of an AtomicFile for `target`. Nothing is thrown: what cannot
/// be taken away does no harm.
void remove_abandoned_parts(const std::filesystem::path& target);

/// AtomicFile with one write.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Lower-case hexadecimal SHA-256.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);

/// SHA-256 of a file's content.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace patchioner
