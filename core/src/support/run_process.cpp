#include "support/run_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <string_view>

#include "support/files.hpp"
#include "support/spawn_actions.hpp"

namespace patchioner {
namespace {

constexpr int kNotFound = 127;  // as shells have it
constexpr int kSignal = 128;

/// This program's environment but for the locale.
std::vector<std::string> environment() {
  std::vector<std::string> variables = {"LC_ALL=C.UTF-8"};
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) {
      variables.emplace_back(*variable);
    }
  }
  return variables;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

}  // namespace

ProcessEnd run_process(const std::vector<std::string>& command, const std::filesystem::path& folder,
                       const std::filesystem::path& scratch) {
  const std::filesystem::path output = scratch / "stdout.txt";
  const std::filesystem::path errors = scratch / "stderr.txt";
  SpawnActions actions;
  actions.redirect(output, errors);
  actions.change_folder(folder);
  const std::vector<std::string> variables = environment();
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, command[0].c_str(), actions.get(), nullptr,
                                   pointers(command).data(), pointers(variables).data());
  if (error == ENOENT) {
    return {kNotFound, {}, {}};
  }
  if (error != 0) {
    throw Error(ErrorKind::io, "{}: cannot be started: {}", command[0], std::strerror(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      throw Error(ErrorKind::io, "{}: cannot be waited for: {}", command[0], std::strerror(errno));
    }
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : kSignal + WTERMSIG(status), read_file(output),
          read_file(errors)};
}

}  // namespace patchioner
