// What is logged while a stage is computed, kept for the log file of one that fails.
#pragma once

#include <functional>
#include <mutex>
#include <patchioner/log.hpp>
#include <string>

#include "support/progress.hpp"

namespace patchioner {

/// While it lives, log lines are kept, and go where they went before: it takes the place of the process's log
/// sink (set_log_sink) and puts the one that it found back at its end. Hence one at a time, and nobody else
/// sets the sink meanwhile. [one-thread]; lines come from any.
class StageLog {
 public:
  StageLog() {
    before_ = set_log_sink([this](LogLevel level, const std::string& line) {
      {
        const std::lock_guard lock(mutex_);
        lines_ += line + "\n";
      }
      if (before_) {
        before_(level, line);
      } else {
        write_beside_progress((level == LogLevel::warning ? "warning: " : "") + line);
      }
    });
  }
  ~StageLog() { set_log_sink(before_); }
  StageLog(const StageLog&) = delete;
  StageLog& operator=(const StageLog&) = delete;

  /// Those of so far, each with its line end.
  std::string lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::function<void(LogLevel, const std::string&)> before_;
  mutable std::mutex mutex_;
  std::string lines_;
};

}  // namespace patchioner
