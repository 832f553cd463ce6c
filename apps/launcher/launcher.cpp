// The executable: sets what LibTorch's threads read when it is loaded, then loads the commands
// (apps/patchioner).
//
// OpenMP's threads wait for work by spinning. On a machine with other work, where a thread is now and then
// off its core, the others spin for it, and all becomes many times slower; waiting asleep costs an idle
// machine nothing that can be measured. The policy is read once, before any code of ours could set it in a
// program linked with LibTorch.
#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/program_layout.hpp"

namespace {

/// The commands lie beside the program in a build folder, and in lib/patchioner where it is installed.
std::string commands_for(const std::string& folder) {
  return folder + (patchioner::is_installed(folder) ? "/../lib/patchioner/" : "/") +
         patchioner::kCommandsLibrary;
}

/// Null, with dlerror() set, when they cannot be loaded.
void* load_commands(const std::string& library) {
  void* commands = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  const char* libtorch = std::getenv("LIBTORCH");
  if (commands != nullptr || libtorch == nullptr) {
    return commands;
  }
  // Installed without LibTorch of its own, which is no longer where it was.
  const std::string torch = std::string(libtorch) + "/lib/libtorch.so";
  return dlopen(torch.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr
             ? nullptr
             : dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
}

}  // namespace

int main(int argument_count, char** arguments) {
  constexpr int kKeepTheUsersChoice = 0;
  setenv("OMP_WAIT_POLICY", "passive", kKeepTheUsersChoice);

  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof(program));
  if (length <= 0 || length == static_cast<ssize_t>(sizeof(program))) {
    std::fprintf(stderr, "error: /proc/self/exe cannot be read; the program needs /proc to find its parts\n");
    return 1;
  }
  const std::string path(program, static_cast<size_t>(length));
  const std::string library = commands_for(path.substr(0, path.rfind('/')));
  void* commands = load_commands(library);
  if (commands == nullptr) {
    std::fprintf(
        stderr,
        "error: the program's commands cannot be loaded, build it again, or set LIBTORCH to the folder "
        "of the LibTorch that it was built with: %s\n",
        dlerror());
    return 1;
  }
  using Main = int(int, char**);
  auto* const run = reinterpret_cast<Main*>(dlsym(commands, "patchioner_main"));
  if (run == nullptr) {
    std::fprintf(stderr, "error: %s is of another version, build it again: %s\n", library.c_str(), dlerror());
    return 1;
  }
  return run(argument_count, arguments);
}
