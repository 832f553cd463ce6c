#include <mutex>
#include <patchioner/log.hpp>
#include <set>

#include "support/progress.hpp"

namespace patchioner {
namespace {

struct LogState {
  std::mutex mutex;
  std::function<void(LogLevel, const std::string&)> sink;
  LogLevel level = LogLevel::info;
  std::set<std::string> warned;
};

// Constructed at first use, never destroyed: threads may log while the process ends.
LogState& state() {
  static LogState* instance = new LogState;
  return *instance;
}

}  // namespace

void log_line(LogLevel level, const std::string& line) {
  LogState& log = state();
  const std::lock_guard<std::mutex> lock(log.mutex);
  if (level < log.level) {
    return;
  }
  if (log.sink) {
    log.sink(level, line);
    return;
  }
  write_beside_progress((level == LogLevel::warning ? "warning: " : "") + line);
}

std::function<void(LogLevel, const std::string&)> set_log_sink(
    std::function<void(LogLevel, const std::string&)> sink) {
  LogState& log = state();
  const std::lock_guard<std::mutex> lock(log.mutex);
  std::swap(log.sink, sink);
  return sink;
}

void set_log_level(LogLevel level) {
  LogState& log = state();
  const std::lock_guard<std::mutex> lock(log.mutex);
  log.level = level;
}

void warn_once(const std::string& line) {
  {
    LogState& log = state();
    const std::lock_guard<std::mutex> lock(log.mutex);
    if (!log.warned.insert(line).second) {
      return;
    }
  }
  log_line(LogLevel::warning, line);
}

}  // namespace patchioner
