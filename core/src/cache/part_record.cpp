#include "cache/part_record.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <patchioner/error.hpp>
#include <unordered_set>

#include "cache/cache_folder.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Files whose content has been found to have a digest. Renaming a file changes nothing of this.
class SeenFiles {
 public:
  static std::string identity(const struct stat& status, const std::string& sha256) {
    return fmt::format("{}:{}:{}:{}.{}:{}", status.st_dev, status.st_ino, status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec, sha256);
  }
  bool has(const std::string& identity) {
    const std::lock_guard lock(mutex_);
    return seen_.contains(identity);
  }
  void add(std::string identity) {
    const std::lock_guard lock(mutex_);
    seen_.insert(std::move(identity));
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> seen_;
};

SeenFiles& seen_files() {
  static SeenFiles files;
  return files;
}

std::string problem(const std::filesystem::path& file, const PartRecord& part, bool in_full) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode) || static_cast<uint64_t>(status.st_size) != part.bytes) {
    return fmt::format("{}: has {} bytes where {} were written", file.string(), status.st_size, part.bytes);
  }
  std::string identity = SeenFiles::identity(status, part.sha256);
  if (!in_full && seen_files().has(identity)) {
    return {};
  }
  try {
    if (sha256_of_file(file) != part.sha256) {
      return fmt::format("{}: its content is not what was written (SHA-256)", file.string());
    }
  } catch (const Error& error) {
    return error.what();
  }
  seen_files().add(std::move(identity));
  return {};
}

}  // namespace

nlohmann::ordered_json to_json(const PartRecord& part) {
  return {{"part", part.name}, {"bytes", part.bytes}, {"sha256", part.sha256}};
}

std::optional<PartRecord> part_from(const nlohmann::ordered_json& object) {
  try {
    PartRecord part{object.at("part").get<std::string>(), object.at("bytes").get<uint64_t>(),
                    object.at("sha256").get<std::string>()};
    return is_part_name(part.name) ? std::optional(std::move(part)) : std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool is_part_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == name.npos &&
         name.find('\0') == name.npos && name != kRecordName && name != kPartLogName;
}

std::string part_problem(const std::filesystem::path& file, const PartRecord& part) {
  return problem(file, part, false);
}

std::string part_problem_in_full(const std::filesystem::path& file, const PartRecord& part) {
  return problem(file, part, true);
}

PartRecord record_part(const std::filesystem::path& file, const std::string& name) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw Error(ErrorKind::io, "{}: cannot be read: {}", file.string(), std::strerror(errno));
  }
  PartRecord part{name, static_cast<uint64_t>(status.st_size), sha256_of_file(file)};
  seen_files().add(SeenFiles::identity(status, part.sha256));
  return part;
}

}  // namespace patchioner
