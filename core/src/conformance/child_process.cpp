#include "conformance/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <patchioner/error.hpp>
#include <thread>

#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/spawn_actions.hpp"

namespace patchioner {
namespace {

constexpr std::chrono::milliseconds kGlance(50);  // between two looks at the process and at Ctrl-C

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, int lines_at,
                           const std::filesystem::path& scratch)
    : output_(scratch / "stdout.txt"), errors_(scratch / "stderr.txt") {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorKind::io, "no pipe to another process can be made: {}", std::strerror(errno));
  }
  pipe_ = ends[0];
  SpawnActions actions;
  actions.redirect(output_, errors_);
  actions.duplicate(ends[1], lines_at);
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  const int error = ::posix_spawn(&child_, words.front(), actions.get(), nullptr, words.data(), ::environ);
  ::close(ends[1]);
  if (error != 0) {
    child_ = -1;
    ::close(pipe_);
    throw Error(ErrorKind::io, "{}: cannot be started: {}", command.front(), std::strerror(error));
  }
}

ChildProcess::~ChildProcess() {
  kill();
  ::close(pipe_);
}

bool ChildProcess::has_ended() {
  if (child_ >= 0) {
    const pid_t ended = ::waitpid(child_, &status_, WNOHANG);
    // Somebody else has waited for it, and how it ended is lost.
    const bool is_gone = ended < 0 && errno == ECHILD;
    if (ended == child_ || is_gone) {
      child_ = -1;
    }
  }
  return child_ < 0;
}

void ChildProcess::kill() {
  if (child_ < 0) {
    return;
  }
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, &status_, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

bool ChildProcess::take_line(std::string& line) {
  const size_t end = buffer_.find('\n');
  if (end == std::string::npos) {
    return false;
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return true;
}

/// Whether there was anything to read within a glance.
bool ChildProcess::read_some() {
  pollfd waiting{pipe_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(kGlance.count())) <= 0) {
    return false;
  }
  constexpr size_t kBlock = 4096;
  char block[kBlock];
  const ssize_t count = ::read(pipe_, block, sizeof(block));
  if (count > 0) {
    buffer_.append(block, static_cast<size_t>(count));
  } else if (count == 0) {
    std::this_thread::sleep_for(kGlance);  // the pipe is closed, the process not yet gone
  }
  return count > 0;
}

ChildProcess::Heard ChildProcess::listen(std::string& line, Clock::time_point deadline) {
  for (;;) {
    if (take_line(line)) {
      return Heard::line;
    }
    if (interrupted()) {
      return Heard::interrupted;
    }
    const bool ended = has_ended();  // asked first: what was written before the end is in the pipe by now
    if (!read_some() && ended) {
      return interrupted() ? Heard::interrupted : Heard::nothing_more;  // Ctrl-C reaches the child too
    }
    if (Clock::now() >= deadline) {
      return Heard::too_late;
    }
  }
}

std::optional<std::string> ChildProcess::end(Clock::time_point deadline) {
  while (!has_ended()) {
    if (Clock::now() >= deadline) {
      kill();
      return "did not end";
    }
    std::this_thread::sleep_for(kGlance / 10);
  }
  if (WIFSIGNALED(status_)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status_));
    return fmt::format("crashed with {}", name == nullptr ? fmt::format("signal {}", WTERMSIG(status_))
                                                          : fmt::format("SIG{}", name));
  }
  if (WEXITSTATUS(status_) != 0) {
    return fmt::format("ended with exit status {}", WEXITSTATUS(status_));
  }
  return std::nullopt;
}

std::string ChildProcess::printed() const {
  return read_file(output_);
}

std::string ChildProcess::last_words() const {
  std::string text = read_file(errors_);
  text.erase(text.find_last_not_of("\n ") + 1);
  const size_t begin = text.rfind('\n');
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

}  // namespace patchioner
