#include "sweep/file_digests.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <patchioner/error.hpp>

#include "cache/cache_folder.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr size_t kDigits = 64;
constexpr size_t kDigestsASave = 256;

}  // namespace

FileDigests::FileDigests(std::filesystem::path memory) : memory_(std::move(memory)) {
  std::ifstream lines(memory_);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > kDigits + 1 && line[kDigits] == ' ') {
      digests_[line.substr(kDigits + 1)] = line.substr(0, kDigits);
    }
  }
}

FileDigests::~FileDigests() {
  save();
}

void FileDigests::save() {
  if (new_lines_.empty() || !is_stage_cache(memory_.parent_path())) {
    return;
  }
  const int descriptor = ::open(memory_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor >= 0) {
    // One write, so that processes do not mix their lines.
    [[maybe_unused]] const auto written = ::write(descriptor, new_lines_.data(), new_lines_.size());
    ::close(descriptor);
    new_lines_.clear();
  }
}

const std::string& FileDigests::of(const std::filesystem::path& file) {
  std::error_code absent;
  const auto bytes = std::filesystem::file_size(file, absent);
  const auto time = std::filesystem::last_write_time(file, absent);
  if (absent) {
    throw Error(ErrorKind::io, "{}: cannot be read: {}", file.string(), absent.message());
  }
  const std::string key = fmt::format("{} {} {}", bytes, time.time_since_epoch().count(), file.string());
  std::string& digest = digests_[key];
  if (digest.empty()) {
    digest = sha256_of_file(file);
    if (key.find('\n') == std::string::npos) {
      new_lines_ += digest + " " + key + "\n";
      if (++new_digests_ % kDigestsASave == 0) {
        save();
      }
    }
  }
  return digest;
}

}  // namespace patchioner
