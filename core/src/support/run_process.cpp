#include "support/run_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <string_view>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr int kNotFound = 127;  // as shells have it
constexpr int kSignal = 128;

/// What posix_spawn does in the child before the program begins.
class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void open(int descriptor, const std::filesystem::path& path, int flags) {
    constexpr mode_t kOwner = 0600;
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, kOwner);
  }
  void change_folder(const std::filesystem::path& folder) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

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
  FileActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.open(STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC);
  actions.open(STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC);
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
