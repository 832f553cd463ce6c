#include "cache/lease_file.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cache/cache_folder.hpp"

namespace patchioner {
namespace {

constexpr int kVersion = 1;

/// Files of /proc say that they are empty, so that they are read to their end. Empty: cannot be read.
std::string read_system_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The machine's name, this boot of it, and this container's numbering of processes.
void say_where(Holder& holder) {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);
  holder.host = name.data();
  holder.boot = read_system_file("/proc/sys/kernel/random/boot_id");
  holder.boot.erase(holder.boot.find_last_not_of('\n') + 1);
  std::error_code unknown;
  holder.process_space = std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string();
}

struct ProcessState {
  char letter = '?';
  uint64_t started = 0;
};

/// Fields 3 and 22 of /proc/<process>/stat (proc_pid_stat(5)).
std::optional<ProcessState> state_of(int64_t process) {
  constexpr int kFieldsBetween = 18;
  const std::string text = read_system_file(fmt::format("/proc/{}/stat", process));
  const size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == text.npos) {
    return std::nullopt;
  }
  std::istringstream fields(text.substr(name_end + 1));
  ProcessState state;
  fields >> state.letter;
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) {
    fields >> skipped;
  }
  fields >> state.started;
  return fields ? std::optional(state) : std::nullopt;
}

}  // namespace

Holder new_holder(double lease_seconds) {
  Holder holder;
  say_where(holder);
  holder.token = random_token();
  holder.process = ::getpid();
  holder.started = state_of(holder.process).value_or(ProcessState{}).started;
  holder.lease_seconds = lease_seconds;
  return holder;
}

std::string lease_text(const Holder& holder) {
  const nlohmann::ordered_json document = {{"version", kVersion},
                                           {"token", holder.token},
                                           {"host", holder.host},
                                           {"boot", holder.boot},
                                           {"process_space", holder.process_space},
                                           {"process", holder.process},
                                           {"started", holder.started},
                                           {"lease_seconds", holder.lease_seconds},
                                           {"beats", holder.beats}};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<Holder> holder_from(const std::string& text) {
  try {
    const auto document = nlohmann::json::parse(text);
    if (document.at("version") != kVersion) {
      return std::nullopt;
    }
    Holder holder;
    document.at("token").get_to(holder.token);
    document.at("host").get_to(holder.host);
    document.at("boot").get_to(holder.boot);
    document.at("process_space").get_to(holder.process_space);
    document.at("process").get_to(holder.process);
    document.at("started").get_to(holder.started);
    document.at("lease_seconds").get_to(holder.lease_seconds);
    document.at("beats").get_to(holder.beats);
    return holder;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool is_gone(const Holder& holder) {
  Holder here;
  say_where(here);
  if (here.boot.empty() || here.process_space.empty() || holder.host != here.host ||
      holder.boot != here.boot || holder.process_space != here.process_space || holder.process <= 0 ||
      holder.process > INT_MAX) {
    return false;
  }
  if (const std::optional<ProcessState> state = state_of(holder.process)) {
    // A process that was killed keeps its number until its parent has asked for its end.
    return state->letter == 'Z' || state->letter == 'X' || state->started != holder.started;
  }
  return ::kill(static_cast<pid_t>(holder.process), 0) != 0 && errno == ESRCH;
}

}  // namespace patchioner
