// A folder for what a case has in memory and a plugin reads from files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <patchioner/error.hpp>
#include <string>

namespace patchioner {

/// Goes away with the object. (The benchmarks have a TemporaryFolder of their own.) Throws an Error of kind
/// io when it cannot be made.
class CaseFolder {
 public:
  CaseFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchioner_case_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error(ErrorKind::io, "{}: cannot be made; set TMPDIR to a folder that can be written", pattern);
    }
    path_ = pattern;
  }
  ~CaseFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CaseFolder(const CaseFolder&) = delete;
  CaseFolder& operator=(const CaseFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace patchioner
