#include "conformance/check_child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <mutex>
#include <patchioner/log.hpp>

#include "conformance/check_messages.hpp"
#include "conformance/run_checks.hpp"
#include "support/descriptor.hpp"

namespace patchioner {
namespace {

/// Tells of the checks, and of what the host warns of until the plugin's object is there: what is logged
/// later is the plugin's answer to odd questions.
class Teller final : public CheckListener {
 public:
  explicit Teller(bool warnings) : warnings_(warnings) {}

  void begins(size_t number, const Check& check) override {
    warnings_ = warnings_ && !(is_open_ && was_made_);
    was_made_ = is_open_;
    CheckMessage message;
    message.type = CheckMessage::Type::begins;
    message.number = number;
    message.name = check.name;
    message.asserts = check.asserts;
    message.gate = check.gate;
    tell(message);
  }

  void ends(size_t number, const CheckOutcome& outcome, double seconds) override {
    CheckMessage message;
    message.type = CheckMessage::Type::ends;
    message.number = number;
    message.outcome = outcome;
    message.seconds = seconds;
    tell(message);
  }

  void opened(const PluginRecord& plugin) override {
    is_open_ = true;
    CheckMessage message;
    message.type = CheckMessage::Type::opened;
    message.kind = to_string(plugin.kind);
    message.name = plugin.name;
    message.version = plugin.version;
    message.summary = plugin.summary;
    tell(message);
  }

  void logged(LogLevel level, const std::string& line) {
    if (warnings_ && level == LogLevel::warning) {
      CheckMessage message;
      message.type = CheckMessage::Type::log;
      message.text = line;
      tell(message);
    }
  }

  void tell(const CheckMessage& message) {
    const std::lock_guard lock(mutex_);
    // Nobody is left to be told when this fails, and then the process is about to be ended.
    (void)write_all(kCheckDescriptor, to_line(message) + "\n");
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> warnings_;
  bool is_open_ = false;
  bool was_made_ = false;
};

}  // namespace

void run_check_child(const CheckRequest& request, size_t from, const std::filesystem::path& scratch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody waits for this process when its parent is gone
  const rlimit no_core{0, 0};          // a crash is a result here
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::fcntl(kCheckDescriptor, F_SETFD, FD_CLOEXEC);
  Teller teller(/*warnings=*/from == 0);
  const auto before =
      set_log_sink([&teller](LogLevel level, const std::string& line) { teller.logged(level, line); });
  CheckMessage last;
  try {
    Workbench bench(request, scratch);
    last.complete = run_checks(bench, from, teller);
  } catch (const Error& error) {
    last.type = CheckMessage::Type::refuses;
    last.text = error.what();
    last.usage = error.kind() == ErrorKind::usage;
  }
  set_log_sink(before);
  teller.tell(last);
}

}  // namespace patchioner
