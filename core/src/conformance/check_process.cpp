#include "conformance/check_process.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "conformance/check_child.hpp"
#include "conformance/check_messages.hpp"
#include "conformance/child_process.hpp"
#include "support/interrupt.hpp"
#include "support/printable.hpp"
#include "support/temporary_folder.hpp"

namespace patchioner {
namespace {

using Clock = ChildProcess::Clock;

constexpr const char* kSilenceName = "silence";
constexpr const char* kSilenceAsserts =
    "nothing is printed to standard output: a plugin logs through the host";
constexpr const char* kEndName = "end";
constexpr const char* kEndAsserts = "the process ends as it should when all is done";

// One such check costs the whole time limit.
constexpr size_t kMostHangs = 3;

/// The first line of a text, shortened.
std::string beginning(const std::string& text) {
  constexpr size_t kMost = 120;
  return printable(text.substr(0, std::min(text.find('\n'), kMost)));
}

/// One run of all checks, by as many children as it takes.
class Watcher {
 public:
  explicit Watcher(const CheckWatch& watch) : watch_(watch) {}

  CheckReport run() {
    const Clock::time_point begin = Clock::now();
    while (!report_.interrupted && watch_child()) {
    }
    if (!report_.interrupted && report_.plugin) {
      finish_silence();
    }
    report_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(report_);
  }

 private:
  /// A check that has begun and not ended.
  struct Running {
    CheckMessage begin;
    Clock::time_point since;
  };

  static Clock::time_point after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  /// Until when the child may be silent: a check has its time limit, and what is around it a minute, since a
  /// child has to load LibTorch first.
  Clock::time_point deadline() const {
    constexpr double kAround = 60;
    return after(running_ ? watch_.seconds : std::max(watch_.seconds, kAround));
  }

  void add(CheckResult result) {
    if (watch_.finished) {
      watch_.finished(result);
    }
    report_.results.push_back(std::move(result));
  }

  void skip_rest(const std::string& reason) {
    add({"the rest", "the checks behind", {CheckStatus::skipped, reason}, 0});
  }

  /// The result of the check that did not end.
  void fail_running(const std::string& sentence) {
    const std::chrono::duration<double> seconds = Clock::now() - running_->since;
    add({running_->begin.name, running_->begin.asserts, {CheckStatus::failed, sentence}, seconds.count()});
    next_ = running_->begin.number + 1;
  }

  void hear(const CheckMessage& message) {
    switch (message.type) {
      case CheckMessage::Type::begins:
        running_ = Running{message, Clock::now()};
        break;
      case CheckMessage::Type::ends:
        if (running_ && running_->begin.number == message.number) {
          add({running_->begin.name, running_->begin.asserts, message.outcome, message.seconds});
          last_ = running_->begin.name;
          next_ = message.number + 1;
          running_.reset();
        }
        break;
      case CheckMessage::Type::opened:
        if (!report_.plugin) {
          report_.plugin = CheckedPlugin{message.kind, message.name, message.version, message.summary};
        }
        break;
      case CheckMessage::Type::log:
        log(LogLevel::warning, "{}", message.text);
        break;
      case CheckMessage::Type::refuses:
        throw Error(message.usage ? ErrorKind::usage : ErrorKind::config, "{}", message.text);
      case CheckMessage::Type::done:
        done_ = message;
        break;
    }
  }

  /// Runs one child from the next check on; whether another one has to go on.
  bool watch_child() {
    const TemporaryFolder scratch;
    running_.reset();
    done_.reset();
    const size_t first = next_;
    ChildProcess child(watch_.command(first, scratch.path()), kCheckDescriptor, scratch.path());
    ChildProcess::Heard heard = ChildProcess::Heard::line;
    while (heard == ChildProcess::Heard::line && !done_) {
      const Clock::time_point latest = deadline();
      for (std::string line;;) {
        heard = child.listen(line, latest);
        if (heard != ChildProcess::Heard::line) {
          break;
        }
        if (const auto message = from_line(line)) {
          hear(*message);
          break;
        }
      }
    }
    const bool goes_on = heard == ChildProcess::Heard::interrupted ? interrupt(child)
                         : done_                                   ? finish(child)
                         : heard == ChildProcess::Heard::too_late  ? give_up(child)
                                                                   : explain_end(child, first);
    if (printed_.empty()) {
      printed_ = child.printed();
    }
    return goes_on;
  }

  bool interrupt(ChildProcess& child) {
    child.kill();
    report_.interrupted = true;
    return false;
  }

  /// The child has said that it is through.
  bool finish(ChildProcess& child) {
    const Clock::time_point begin = Clock::now();
    const std::optional<std::string> end = child.end(deadline());
    if (!done_->complete) {
      skip_rest(fmt::format("what is behind '{}' cannot be run", last_));
      return false;
    }
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    add({kEndName, kEndAsserts,
         end ? CheckOutcome{CheckStatus::failed,
                            fmt::format(
                                "the process {} when all was done: a static object or a thread of the "
                                "library is still at work{}",
                                *end, last_words(child))}
             : CheckOutcome{},
         seconds.count()});
    return false;
  }

  /// The child takes too long.
  bool give_up(ChildProcess& child) {
    child.kill();
    if (!running_) {
      throw Error(ErrorKind::internal,
                  "the process that runs the checks has long said nothing; --timeout gives it longer");
    }
    fail_running(fmt::format("it was still running after {:g} s and was ended; --timeout gives it longer",
                             watch_.seconds));
    if (running_->begin.gate) {
      skip_rest(fmt::format("what is behind '{}' cannot be run", running_->begin.name));
      return false;
    }
    if (++hangs_ == kMostHangs) {
      skip_rest(fmt::format("{} checks took too long; --only NAME runs single ones", hangs_));
      return false;
    }
    return true;
  }

  /// The child has ended before it was through.
  bool explain_end(ChildProcess& child, size_t first) {
    const std::string end = child.end(deadline()).value_or("ended with exit status 0");
    const std::string sentence =
        end.starts_with("crashed")
            ? fmt::format("it {}{}", end, last_words(child))
            : fmt::format("the whole process {}; a plugin throws an Error and never exits", end);
    if (running_) {
      fail_running(sentence);
      if (running_->begin.gate) {
        skip_rest(fmt::format("what is behind '{}' cannot be run", running_->begin.name));
        return false;
      }
      return true;
    }
    if (next_ == first) {
      throw Error(ErrorKind::internal, "the process that runs the checks {} before the first of them{}", end,
                  last_words(child));
    }
    add({"between",
         "nothing happens between two checks",
         {CheckStatus::failed, fmt::format("behind '{}' {}", last_, sentence)},
         0});
    return true;
  }

  static std::string last_words(const ChildProcess& child) {
    const std::string words = beginning(child.last_words());
    return words.empty() ? "" : fmt::format("; its last words are '{}'", words);
  }

  void finish_silence() {
    add({kSilenceName, kSilenceAsserts,
         printed_.empty() ? CheckOutcome{}
                          : CheckOutcome{CheckStatus::failed,
                                         fmt::format("it printed '{}'; use log() of <patchioner/log.hpp>",
                                                     beginning(printed_))},
         0});
  }

  const CheckWatch& watch_;
  CheckReport report_;
  std::optional<Running> running_;
  std::optional<CheckMessage> done_;
  std::string last_;  // name of the check that ended last
  size_t next_ = 0;
  size_t hangs_ = 0;
  std::string printed_;
};

}  // namespace

size_t CheckReport::count(CheckStatus status) const {
  return static_cast<size_t>(
      std::count_if(results.begin(), results.end(),
                    [status](const CheckResult& result) { return result.outcome.status == status; }));
}

CheckReport watch_checks(const CheckWatch& watch) {
  const PoliteInterrupt polite;
  return Watcher(watch).run();
}

std::vector<std::pair<std::string, std::string>> watched_checks() {
  return {{kEndName, kEndAsserts}, {kSilenceName, kSilenceAsserts}};
}

}  // namespace patchioner
