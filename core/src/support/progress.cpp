#include "support/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

namespace patchioner {
namespace {

bool drawing_enabled = true;
std::atomic<int> alive = 0;  // Progress objects that are not finished

/// The moving line that stands on the terminal now; empty when there is none.
struct MovingLine {
  std::mutex mutex;
  std::string text;
};

// Constructed at first use, never destroyed: threads may log while the process ends.
MovingLine& moving_line() {
  static MovingLine* instance = new MovingLine;
  return *instance;
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

void write_beside_progress(const std::string& line) {
  MovingLine& moving = moving_line();
  const std::lock_guard<std::mutex> lock(moving.mutex);
  if (moving.text.empty()) {
    std::fprintf(stderr, "%s\n", line.c_str());
  } else {
    std::fprintf(stderr, "\r\033[K%s\n%s", line.c_str(), moving.text.c_str());
  }
  std::fflush(stderr);
}

Progress::Progress(std::string title, std::string unit, uint64_t total)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(::isatty(STDERR_FILENO) == 1),
      inner_(alive++ > 0),
      started_(std::chrono::steady_clock::now()),
      drawn_(started_) {}

Progress::~Progress() {
  alive -= finished_ ? 0 : 1;
  if (!inner_ && !finished_ && terminal_ && drawing_enabled) {
    MovingLine& moving = moving_line();
    const std::lock_guard<std::mutex> lock(moving.mutex);
    if (!moving.text.empty()) {
      std::fputc('\n', stderr);
      moving.text.clear();
    }
  }
}

void Progress::set_enabled(bool enabled) {
  drawing_enabled = enabled;
}

void Progress::start_at(uint64_t done) {
  done_ = done;
  already_done_ = done;
}

void Progress::advance(uint64_t units) {
  done_ += units;
  draw(false);
}

std::string Progress::line(double elapsed_seconds) const {
  std::string text = total_ > 0
                         ? fmt::format("{}: {}/{} {} ({:.0f} %)", title_, done_, total_, unit_,
                                       100.0 * static_cast<double>(done_) / static_cast<double>(total_))
                         : fmt::format("{}: {} {}", title_, done_, unit_);
  if (elapsed_seconds > 0 && done_ > already_done_) {
    const double rate = static_cast<double>(done_ - already_done_) / elapsed_seconds;
    text +=
        rate >= 10 ? fmt::format(", {:.0f} {}/s", rate, unit_) : fmt::format(", {:.2f} {}/s", rate, unit_);
    if (total_ > done_) {
      text += fmt::format(", {} left", duration(static_cast<double>(total_ - done_) / rate));
    }
  }
  if (!note_.empty()) {
    text += ", " + note_;
  }
  return text;
}

void Progress::draw(bool last) {
  if (!drawing_enabled || inner_) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000);
  if (!last && now - drawn_ < interval) {
    return;
  }
  drawn_ = now;
  const std::string text = line(std::chrono::duration<double>(now - started_).count());
  MovingLine& moving = moving_line();
  const std::lock_guard<std::mutex> lock(moving.mutex);
  if (terminal_) {
    std::fprintf(stderr, "\r%s\033[K%s", text.c_str(), last ? "\n" : "");
    moving.text = last ? "" : text;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  std::fflush(stderr);
}

void Progress::finish() {
  alive -= finished_ ? 0 : 1;
  finished_ = true;
  draw(true);
}

}  // namespace patchioner
