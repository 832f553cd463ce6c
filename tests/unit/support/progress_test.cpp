// Lines and the moving progress line on one terminal.
#include "support/progress.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <patchioner/log.hpp>
#include <thread>

using namespace patchioner;

namespace {

/// Standard error on a terminal of its own for as long as the object lives.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY)), kept_(::dup(STDERR_FILENO)) {
    if (master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0) {
      slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    }
    if (slave_ >= 0) {
      ::dup2(slave_, STDERR_FILENO);
    }
  }
  ~Terminal() {
    ::dup2(kept_, STDERR_FILENO);
    for (const int descriptor : {kept_, slave_, master_}) {
      if (descriptor >= 0) {
        ::close(descriptor);
      }
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool works() const { return slave_ >= 0; }

  /// All that was written since the last call; line ends come as the terminal shows them, "\r\n". A terminal
  /// may hand over what was written in pieces and late, so a mark behind it tells where it ends.
  std::string read() const {
    constexpr char kMark = '\x01';
    REQUIRE(::write(slave_, &kMark, 1) == 1);
    std::string text;
    while (text.empty() || text.back() != kMark) {
      char buffer[4096];
      const ssize_t size = ::read(master_, buffer, sizeof(buffer));
      REQUIRE(size > 0);
      text.append(buffer, static_cast<size_t>(size));
    }
    text.pop_back();
    return text;
  }

 private:
  int master_;
  int kept_;
  int slave_ = -1;
};

}  // namespace

TEST_CASE("a logged line takes the place of the moving line, which stands below it again") {
  const Terminal terminal;
  if (!terminal.works()) {
    MESSAGE("skipped: there are no pseudo-terminals here");
    return;
  }
  Progress progress("captioning", "images", 4);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // before, nothing is drawn
  progress.advance(2);
  const std::string drawn = terminal.read();
  REQUIRE(drawn.starts_with("\rcaptioning: 2/4 images (50 %)"));
  log(LogLevel::warning, "a cat is missing");
  const std::string logged = terminal.read();
  CHECK(logged.starts_with("\r\033[Kwarning: a cat is missing\r\ncaptioning: 2/4 images (50 %)"));
  CHECK_FALSE(logged.ends_with("\n"));
  progress.advance(2);
  progress.finish();
  (void)terminal.read();
  log(LogLevel::info, "done");
  CHECK(terminal.read() == "done\r\n");
}

TEST_CASE("a progress that is given up ends its line") {
  const Terminal terminal;
  if (!terminal.works()) {
    MESSAGE("skipped: there are no pseudo-terminals here");
    return;
  }
  {
    Progress progress("captioning", "images", 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    progress.advance();
    (void)terminal.read();
  }
  CHECK(terminal.read() == "\r\n");
  log(LogLevel::info, "stopped");
  CHECK(terminal.read() == "stopped\r\n");
}

TEST_CASE("the progress of work inside other work draws nothing") {
  const Terminal terminal;
  if (!terminal.works()) {
    MESSAGE("skipped: there are no pseudo-terminals here");
    return;
  }
  Progress outer("sweep", "stages", 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  outer.advance();
  CHECK(terminal.read().starts_with("\rsweep: 1/2 stages"));
  {
    Progress inner("scoring", "texts", 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    inner.advance(4);
    inner.finish();
  }
  outer.advance();
  outer.finish();
  CHECK(terminal.read().starts_with("\rsweep: 2/2 stages"));
  // Behind a finished one, the next is no inner one.
  Progress next("sweep", "stages", 1);
  next.advance();
  next.finish();
  CHECK(terminal.read().starts_with("\rsweep: 1/1 stages"));
}
