// One process at a time.
#pragma once

#include <filesystem>
#include <string>

namespace patchioner {

/// Whether the name still leads to the open file, and not to another one or nowhere: whoever had a lock
/// before may have taken the file away.
bool is_still_there(int descriptor, const std::filesystem::path& path);

/// Opens `path` for reading and writing, made when it is not there, and locks it: the descriptor. Throws an
/// Error of kind io when it cannot be written, and one that says `busy` when another process has the lock.
int open_locked(const std::filesystem::path& path, const std::string& busy);

/// Holds the lock of a file that is there for nothing else, and takes the file away at the end.
class FileLock {
 public:
  /// Errors as open_locked.
  FileLock(std::filesystem::path path, const std::string& busy);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace patchioner
