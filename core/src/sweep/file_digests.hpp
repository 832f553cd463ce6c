// Digests of files, remembered on disk: weights and the images of a test set are read once, not at every
// plan.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace patchioner {

/// [one-thread]; several processes may use one file at once.
class FileDigests {
 public:
  /// `memory` is a file of lines in the folder of a cache. It need not be there; what cannot be read of it is
  /// ignored.
  explicit FileDigests(std::filesystem::path memory);
  ~FileDigests();
  FileDigests(const FileDigests&) = delete;
  FileDigests& operator=(const FileDigests&) = delete;

  /// SHA-256 of all of the content, remembered for as long as path, size and time stay. Throws an Error of
  /// kind io.
  const std::string& of(const std::filesystem::path& file);

  /// Adds what is new to the file, when its folder is one of a cache; done from time to time by itself.
  /// Nothing is thrown, since it only costs time.
  void save();

 private:
  std::filesystem::path memory_;
  std::map<std::string, std::string> digests_;  ///< "size time path" -> digest
  std::string new_lines_;
  size_t new_digests_ = 0;
};

}  // namespace patchioner
