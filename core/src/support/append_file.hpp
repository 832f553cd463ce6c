// A file that grows by whole records and survives its process: what was written stays, and the next process
// goes on from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace patchioner {

/// Opened for reading and writing, made when it is not there, and locked: a second process is refused with an
/// Error of kind io. All failures throw an Error of kind io that names the file.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  /// An empty file is taken away.
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  uint64_t size() const;
  /// Cuts the file to `size` bytes; the next append goes there.
  void truncate(uint64_t size);
  void append(std::string_view bytes);
  /// Whether the file begins with these bytes.
  bool begins_with(std::string_view bytes) const;
  /// Flushes to the disk.
  void sync();
  /// Flushes and gives the file its final name.
  void rename(const std::filesystem::path& target);

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace patchioner
