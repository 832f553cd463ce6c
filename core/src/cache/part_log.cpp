#include "cache/part_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <patchioner/error.hpp>

#include "support/descriptor.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Seconds of one holder.
struct Spent {
  double noted = 0;
  double measured = 0;  ///< by parts since the last note
};

/// Whether the file ends in the middle of a line, of a writer that was killed.
bool ends_torn(int descriptor, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

void append_line(const std::filesystem::path& file, const nlohmann::ordered_json& object) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  struct stat status {};
  bool written = false;
  int reason = errno;
  if (descriptor >= 0 && ::fstat(descriptor, &status) == 0) {
    const std::string line = (ends_torn(descriptor, status.st_size) ? "\n" : "") + object.dump() + "\n";
    written = write_all(descriptor, line);
    reason = errno;
    if (!written && ::ftruncate(descriptor, status.st_size) != 0) {
      reason = errno;  // half a line stays; whoever appends next ends it, and readers leave it out
    }
  }
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!written) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", file.string(), std::strerror(reason));
  }
}

}  // namespace

PartHistory read_part_log(const std::filesystem::path& file) {
  PartHistory history;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return history;
  }
  std::map<std::string, Spent> spent;
  const std::string text = read_file(file);
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    const auto line =
        nlohmann::ordered_json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                      text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.contains("holder") || !line["holder"].is_string() ||
        !line.contains("seconds") || !line["seconds"].is_number()) {
      continue;
    }
    Spent& holder = spent[line["holder"].get<std::string>()];
    if (!line.contains("part")) {
      holder.noted += line["seconds"].get<double>();
      holder.measured = 0;
    } else if (std::optional<PartRecord> part = part_from(line)) {
      holder.measured += line["seconds"].get<double>();
      history.parts.put(*std::move(part));
    }
  }
  for (const auto& [holder, seconds] : spent) {
    history.seconds += seconds.noted + seconds.measured;
  }
  return history;
}

void log_part(const std::filesystem::path& file, const PartRecord& part, double seconds,
              const std::string& holder) {
  nlohmann::ordered_json line = to_json(part);
  line["seconds"] = seconds;
  line["holder"] = holder;
  append_line(file, line);
}

void log_seconds(const std::filesystem::path& file, double seconds, const std::string& holder) {
  append_line(file, {{"seconds", seconds}, {"holder", holder}});
}

}  // namespace patchioner
