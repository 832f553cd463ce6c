// What posix_spawn does in the child before the program begins.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <filesystem>

namespace patchioner {

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  /// Nothing to read; what the child writes goes into the two files.
  void redirect(const std::filesystem::path& output, const std::filesystem::path& errors) {
    open(STDIN_FILENO, "/dev/null", O_RDONLY);
    open(STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC);
    open(STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC);
  }
  void duplicate(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void change_folder(const std::filesystem::path& folder) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  void open(int descriptor, const std::filesystem::path& path, int flags) {
    constexpr mode_t kOwner = 0600;
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, kOwner);
  }

  posix_spawn_file_actions_t actions_{};
};

}  // namespace patchioner
