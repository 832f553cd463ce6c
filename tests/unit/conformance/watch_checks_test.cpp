// The process that watches, with shell scripts in the place of the children that run checks.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <patchioner/log.hpp>

#include "checked.hpp"
#include "conformance/check_messages.hpp"
#include "conformance/check_process.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

std::string begins(size_t number, const std::string& name, bool gate = false) {
  CheckMessage message;
  message.type = CheckMessage::Type::begins;
  message.number = number;
  message.name = name;
  message.gate = gate;
  return "echo '" + to_line(message) + "' >&3\n";
}

std::string ends(size_t number, CheckStatus status = CheckStatus::passed) {
  CheckMessage message;
  message.type = CheckMessage::Type::ends;
  message.number = number;
  message.outcome.status = status;
  return "echo '" + to_line(message) + "' >&3\n";
}

std::string done(bool complete = true) {
  CheckMessage message;
  message.complete = complete;
  return "echo '" + to_line(message) + "' >&3\n";
}

std::string opened() {
  CheckMessage message;
  message.type = CheckMessage::Type::opened;
  message.kind = "gap";
  message.name = "scripted";
  return "echo '" + to_line(message) + "' >&3\n";
}

/// Runs one script after the other: the first as the first child, and so on. A line a result, and when
/// another script began, from which check on.
std::vector<std::string> watched(std::vector<std::string> scripts, double seconds = 60) {
  std::vector<std::string> lines;
  size_t children = 0;
  CheckWatch watch;
  watch.seconds = seconds;
  watch.command = [&](size_t from, const std::filesystem::path&) -> std::vector<std::string> {
    if (children > 0) {
      lines.push_back(fmt::format("from {}", from));
    }
    REQUIRE(children < scripts.size());
    return {"/bin/sh", "-c", scripts[children++]};
  };
  watch.finished = [&](const CheckResult& result) {
    lines.push_back(fmt::format("{} {}{}{}", to_string(result.outcome.status), result.name,
                                result.outcome.sentence.empty() ? "" : ": ", result.outcome.sentence));
  };
  (void)watch_checks(watch);
  CHECK(children == scripts.size());
  return lines;
}

using Lines = std::vector<std::string>;

TEST_CASE("results come in order, and the end and what was printed are results too") {
  CHECK(watched({opened() + begins(0, "a") + ends(0) + begins(1, "b") + ends(1, CheckStatus::failed) +
                 done()}) == Lines{"passed a", "failed b", "passed end", "passed silence"});
  CHECK(watched({opened() + "echo hello\necho again\n" + done()}) ==
        Lines{"passed end", "failed silence: it printed 'hello'; use log() of <patchioner/log.hpp>"});
}

TEST_CASE("a crash is a result, and another child goes on behind it") {
  CHECK(watched({opened() + begins(0, "a") + ends(0) + begins(1, "b") + "echo ouch >&2\nkill -ABRT $$",
                 opened() + begins(2, "c") + ends(2) + done()}) ==
        Lines{"passed a", "failed b: it crashed with SIGABRT; its last words are 'ouch'", "from 2",
              "passed c", "passed end", "passed silence"});
}

TEST_CASE("an exit is a result, whatever its status") {
  for (const char* status : {"0", "3"}) {
    CHECK(watched({opened() + begins(0, "a") + "exit " + status, opened() + done()}) ==
          Lines{fmt::format(
                    "failed a: the whole process ended with exit status {}; a plugin throws an Error and "
                    "never exits",
                    status),
                "from 1", "passed end", "passed silence"});
  }
}

TEST_CASE("a check that takes too long is ended, and after three of them the rest is skipped") {
  const auto hangs = [](size_t number) { return opened() + begins(number, "h") + "exec sleep 60"; };
  const Lines lines = watched({hangs(0), hangs(1), hangs(2)}, 0.3);
  const std::string sentence =
      "failed h: it was still running after 0.3 s and was ended; --timeout gives it longer";
  CHECK(lines == Lines{sentence, "from 1", sentence, "from 2", sentence,
                       "skipped the rest: 3 checks took too long; --only NAME runs single ones",
                       "skipped silence: nothing was printed until the run was cut short"});
}

TEST_CASE("a check that never stops warning takes too long all the same") {
  CheckMessage warning;
  warning.type = CheckMessage::Type::log;
  warning.text = "again";
  std::atomic<int> warnings = 0;
  const auto before = set_log_sink([&](LogLevel, const std::string&) { ++warnings; });
  const std::string endless = "while :; do echo '" + to_line(warning) + "' >&3; echo nonsense >&3; done";
  const Lines lines = watched({opened() + begins(0, "a", true) + endless}, 0.3);
  set_log_sink(before);
  CHECK(warnings > 0);
  CHECK(lines == Lines{"failed a: it was still running after 0.3 s and was ended; --timeout gives it longer",
                       "skipped the rest: what is behind 'a' cannot be run",
                       "skipped silence: nothing was printed until the run was cut short"});
}

TEST_CASE("what was found before a child that cannot go on is kept") {
  CHECK(
      watched({opened() + begins(0, "a") + ends(0) + begins(1, "b") + "kill -SEGV $$", "exit 4"}) ==
      Lines{"passed a", "failed b: it crashed with SIGSEGV", "from 2",
            "failed between: behind 'b' the whole process ended with exit status 4; a plugin throws an Error "
            "and never exits",
            "skipped the rest: what is behind 'b' cannot be run",
            "skipped silence: nothing was printed until the run was cut short"});
}

TEST_CASE("a caller that ignores its children's ends learns of them all the same") {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  CHECK(watched({opened() + begins(0, "a") + "kill -SEGV $$", opened() + done()}) ==
        Lines{"failed a: it crashed with SIGSEGV", "from 1", "passed end", "passed silence"});
  CHECK((::signal(SIGCHLD, before) == SIG_IGN));
}

TEST_CASE("a run whose object is skipped is unchecked, one that fails is not") {
  const auto report_of = [](CheckStatus status, bool complete) {
    CheckWatch watch;
    watch.command = [&](size_t, const std::filesystem::path&) -> std::vector<std::string> {
      return {"/bin/sh", "-c", opened() + begins(0, "made", true) + ends(0, status) + done(complete)};
    };
    return watch_checks(watch);
  };
  CHECK(report_of(CheckStatus::skipped, false).unchecked);
  CHECK_FALSE(report_of(CheckStatus::failed, false).unchecked);
  CHECK_FALSE(report_of(CheckStatus::passed, true).unchecked);
}

TEST_CASE("behind a gate that does not pass nothing is run") {
  CHECK(watched({begins(0, "g", true) + ends(0, CheckStatus::failed) + done(false)}) ==
        Lines{"failed g", "skipped the rest: what is behind 'g' cannot be run"});
  CHECK(watched({begins(0, "g", true) + "kill -SEGV $$"}) ==
        Lines{"failed g: it crashed with SIGSEGV", "skipped the rest: what is behind 'g' cannot be run"});
}

TEST_CASE("a crash at the end and one between two checks are results") {
  CHECK(watched({opened() + begins(0, "a") + ends(0) + done() + "kill -SEGV $$"}) ==
        Lines{"passed a",
              "failed end: the process crashed with SIGSEGV when all was done: a static object or a thread "
              "of the "
              "library is still at work",
              "passed silence"});
  CHECK(watched({opened() + begins(0, "a") + ends(0) + "kill -SEGV $$", opened() + done()}) ==
        Lines{"passed a", "failed between: behind 'a' it crashed with SIGSEGV", "from 1", "passed end",
              "passed silence"});
}

TEST_CASE("lines that are no messages are passed over") {
  CHECK(watched({"echo nonsense >&3\necho '{\"type\": \"party\"}' >&3\n" + opened() + begins(0, "a") +
                 ends(0) + done()}) == Lines{"passed a", "passed end", "passed silence"});
}

TEST_CASE("a child that cannot begin is an error, not an endless row of children") {
  mentions(refusal_of(ErrorKind::internal, [] { watched({"exit 4"}); }),
           "the process that runs the checks ended with exit status 4 before the first of them");
  CheckWatch watch;
  watch.command = [](size_t, const std::filesystem::path&) -> std::vector<std::string> {
    return {"/no/program"};
  };
  mentions(refusal_of(ErrorKind::io, [&] { watch_checks(watch); }), "/no/program: cannot be started");
  CheckMessage refusal;
  refusal.type = CheckMessage::Type::refuses;
  refusal.text = "a.yaml: no section";
  CHECK(refusal_of(ErrorKind::config, [&] { watched({"echo '" + to_line(refusal) + "' >&3"}); }) ==
        "a.yaml: no section");
}

}  // namespace
}  // namespace patchioner
