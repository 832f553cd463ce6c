#include "conformance/check_process.hpp"

#include <signal.h>

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

/// SIGCHLD does what it does by default, until the object goes away: where it is ignored, nobody learns how a
/// child has ended.
class ChildSignals {
 public:
  ChildSignals() {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &usual, &before_);
  }
  ~ChildSignals() { ::sigaction(SIGCHLD, &before_, nullptr); }
  ChildSignals(const ChildSignals&) = delete;
  ChildSignals& operator=(const ChildSignals&) = delete;

 private:
  struct sigaction before_ {};
};

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
  /// How long the child may stay as it is: a check has its time limit, and what is around it a minute, since
  /// a child has to load LibTorch first.
  double limit() const {
    constexpr double kAround = 60;
    return running_ ? watch_.seconds : std::max(watch_.seconds, kAround);
  }

  /// Until when. Counted from where a check has begun or ended, whatever else the child says meanwhile.
  Clock::time_point deadline() const {
    const std::chrono::duration<double> seconds(limit());
    return since_ + std::chrono::duration_cast<Clock::duration>(seconds);
  }

  void add(CheckResult result) {
    if (watch_.finished) {
      watch_.finished(result);
    }
    report_.results.push_back(std::move(result));
  }

  void skip_rest(const std::string& reason) {
    cut_short_ = true;
    add({"the rest", "the checks behind", {CheckStatus::skipped, reason}, 0});
  }

  /// The result of the check that did not end.
  void fail_running(const std::string& sentence) {
    const std::chrono::duration<double> seconds = Clock::now() - since_;
    add({running_->name, running_->asserts, {CheckStatus::failed, sentence}, seconds.count()});
    last_ = running_->name;
    last_skipped_ = false;
    next_ = running_->number + 1;
  }

  void hear(const CheckMessage& message) {
    switch (message.type) {
      case CheckMessage::Type::begins:
        running_ = message;
        since_ = Clock::now();
        break;
      case CheckMessage::Type::ends:
        if (running_ && running_->number == message.number) {
          add({running_->name, running_->asserts, message.outcome, message.seconds});
          last_ = running_->name;
          last_skipped_ = message.outcome.status == CheckStatus::skipped;
          next_ = message.number + 1;
          running_.reset();
          since_ = Clock::now();
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
    since_ = Clock::now();
    ChildProcess child(watch_.command(first, scratch.path()), kCheckDescriptor, scratch.path());
    const ChildProcess::Heard heard = hear_until_done(child);
    const bool goes_on = heard == ChildProcess::Heard::interrupted ? interrupt(child)
                         : heard == ChildProcess::Heard::line      ? finish(child)
                         : heard == ChildProcess::Heard::too_late  ? give_up(child)
                                                                   : explain_end(child, first);
    if (printed_.empty()) {
      printed_ = child.printed();
    }
    return goes_on;
  }

  /// Hears the child until it is through (`line` then), or what has come in between.
  ChildProcess::Heard hear_until_done(ChildProcess& child) {
    for (std::string line; !done_;) {
      const ChildProcess::Heard heard = child.listen(line, deadline());
      if (heard != ChildProcess::Heard::line) {
        return heard;
      }
      if (const auto message = from_line(line)) {
        hear(*message);
      }
      // Looked at here too, for a child that never stops talking.
      if (interrupted()) {
        return ChildProcess::Heard::interrupted;
      }
      if (!done_ && Clock::now() >= deadline()) {
        return ChildProcess::Heard::too_late;
      }
    }
    return ChildProcess::Heard::line;
  }

  bool interrupt(ChildProcess& child) {
    child.kill();
    report_.interrupted = true;
    return false;
  }

  /// The child has said that it is through.
  bool finish(ChildProcess& child) {
    const Clock::time_point begin = since_ = Clock::now();
    ChildProcess::Heard heard = ChildProcess::Heard::line;
    for (std::string line; heard == ChildProcess::Heard::line && Clock::now() < deadline();) {
      heard = child.listen(line, deadline());
    }
    if (heard == ChildProcess::Heard::interrupted) {
      return interrupt(child);
    }
    const std::optional<std::string> end = child.end(deadline());
    if (!done_->complete) {
      report_.unchecked = last_skipped_;
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
      if (report_.results.empty()) {
        throw Error(ErrorKind::internal,
                    "the process that runs the checks has long said nothing; --timeout gives it longer");
      }
      add_between(fmt::format("nothing came for {:g} s, and the process was ended; --timeout gives it longer",
                              limit()));
      skip_rest(fmt::format("what is behind '{}' cannot be run", last_));
      return false;
    }
    fail_running(fmt::format("it was still running after {:g} s and was ended; --timeout gives it longer",
                             watch_.seconds));
    if (running_->gate) {
      skip_rest(fmt::format("what is behind '{}' cannot be run", running_->name));
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
      if (running_->gate) {
        skip_rest(fmt::format("what is behind '{}' cannot be run", running_->name));
        return false;
      }
      return true;
    }
    if (report_.results.empty()) {
      throw Error(ErrorKind::internal, "the process that runs the checks {} before the first of them{}", end,
                  last_words(child));
    }
    add_between(sentence);
    if (next_ == first) {
      skip_rest(fmt::format("what is behind '{}' cannot be run", last_));
      return false;
    }
    return true;
  }

  /// A failure that came when no check was running.
  void add_between(const std::string& sentence) {
    add({"between",
         "nothing happens between two checks",
         {CheckStatus::failed, fmt::format("behind '{}' {}", last_, sentence)},
         0});
  }

  static std::string last_words(const ChildProcess& child) {
    const std::string words = beginning(child.last_words());
    return words.empty() ? "" : fmt::format("; its last words are '{}'", words);
  }

  void finish_silence() {
    add({kSilenceName, kSilenceAsserts,
         printed_.empty() ? cut_short_ ? CheckOutcome{CheckStatus::skipped,
                                                      "nothing was printed until the run was cut short"}
                                       : CheckOutcome{}
                          : CheckOutcome{CheckStatus::failed,
                                         fmt::format("it printed '{}'; use log() of <patchioner/log.hpp>",
                                                     beginning(printed_))},
         0});
  }

  const CheckWatch& watch_;
  CheckReport report_;
  std::optional<CheckMessage> running_;  // of the check that has begun and not ended
  std::optional<CheckMessage> done_;
  Clock::time_point since_;  // when the child, a check, or what is behind one has begun
  std::string last_;         // name of the check that ended last
  bool last_skipped_ = false;
  bool cut_short_ = false;
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
  const ChildSignals signals;
  return Watcher(watch).run();
}

std::vector<std::pair<std::string, std::string>> watched_checks() {
  return {{kEndName, kEndAsserts}, {kSilenceName, kSilenceAsserts}};
}

}  // namespace patchioner
