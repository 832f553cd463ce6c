// A child process that talks in lines on a pipe, and may crash, hang or end at any time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace patchioner {

class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts `command`, whose descriptor `lines_at` is the writing end of the pipe. What it writes to standard
  /// output and standard error lands in files in `scratch`, and it reads nothing. Throws an Error of kind io
  /// when it cannot be started.
  ChildProcess(const std::vector<std::string>& command, int lines_at, const std::filesystem::path& scratch);

  /// Kills it when it is still there.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  enum class Heard { line, nothing_more, too_late, interrupted };

  /// Waits for the next line, for the end of the process, for `deadline` or for Ctrl-C
  /// (support/interrupt.hpp).
  Heard listen(std::string& line, Clock::time_point deadline);

  /// How it ended, in words: nothing for the exit status 0, "crashed with SIGSEGV", "ended with exit status
  /// 3". Kills it when it has not ended by `deadline`: "did not end".
  std::optional<std::string> end(Clock::time_point deadline);

  void kill();

  std::string printed() const;     ///< to standard output so far
  std::string last_words() const;  ///< the last line on standard error, or nothing

 private:
  bool has_ended();
  bool take_line(std::string& line);
  bool read_some();

  pid_t child_ = -1;  // -1 once it was waited for
  int status_ = 0;
  int pipe_ = -1;
  std::string buffer_;
  std::filesystem::path output_, errors_;
};

}  // namespace patchioner
