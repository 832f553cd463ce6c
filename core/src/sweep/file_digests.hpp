// Digests of many files, remembered on disk: the images of a test set are read once, not at every plan.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace patchioner {

/// [one-thread]; several processes may use one file at once.
class FileDigests {
 public:
  /// `memory` is a file of lines that need not be there; what cannot be read of it is ignored.
  explicit FileDigests(std::filesystem::path memory);
  /// Adds what is new to the file; nothing is thrown, since it only costs time.
  ~FileDigests();
  FileDigests(const FileDigests&) = delete;
  FileDigests& operator=(const FileDigests&) = delete;

  /// SHA-256 of the content, remembered for as long as path, size and time stay. Throws an Error of kind io.
  const std::string& of(const std::filesystem::path& file);

 private:
  std::filesystem::path memory_;
  std::map<std::string, std::string> digests_;  ///< "size time path" -> digest
  std::string new_lines_;
};

}  // namespace patchioner
