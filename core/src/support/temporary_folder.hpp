// A folder for files that are needed for a while.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <patchioner/error.hpp>
#include <string>

namespace patchioner {

/// Empty, under the system's temporary folder; goes away with the object. Throws an Error of kind io when it
/// cannot be made.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchioner_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error(ErrorKind::io, "{}: cannot be made; set TMPDIR to a folder that can be written", pattern);
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace patchioner
