#include "support/output_folder.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <regex>
#include <system_error>

namespace patchioner {

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::io, "{}: the folder cannot be made: {}", folder.string(), error.message());
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorKind::io, "{}: nothing can be written into this folder: {}", folder.string(),
                std::strerror(errno));
  }
}

void refuse_foreign_folder(const std::filesystem::path& folder, const std::filesystem::path& mark,
                           const std::string& whose) {
  std::error_code unreadable;
  if (std::filesystem::exists(folder, unreadable) && !std::filesystem::is_empty(folder, unreadable) &&
      !std::filesystem::exists(mark, unreadable)) {
    throw Error(ErrorKind::usage, "{}: the folder holds other things than {}; give an empty or a new one",
                folder.string(), whose);
  }
}

void remove_abandoned_files(const std::filesystem::path& folder, const std::string& beginning) {
  static const std::regex kUnfinished(R"(.*\.(\d{1,9})\.partial)");
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::smatch found;
    if (!name.starts_with(beginning) || !std::regex_match(name, found, kUnfinished)) {
      continue;
    }
    const auto process = static_cast<pid_t>(std::stol(found[1]));
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) {
      std::error_code failed;
      if (std::filesystem::remove(entry->path(), failed)) {
        log(LogLevel::info, "{}: removed; a killed process had left it", entry->path().string());
      }
    }
  }
}

}  // namespace patchioner
