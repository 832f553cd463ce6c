// Another program, run to its end without a shell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchioner {

/// How a program ended, and what it wrote.
struct ProcessEnd {
  int status = 0;  ///< its exit status; 127 when it could not be found; of a signal 128 and its number
  std::string output;
  std::string errors;
};

/// Runs `command`, its first entry being a path or a program of PATH, in `folder`, and waits for it. Both of
/// what it writes go through files in `scratch`. Its locale is C.UTF-8, so that what it reads and writes does
/// not depend on where it runs. Throws an Error of kind io when it cannot be started for another reason than
/// that there is no such program.
ProcessEnd run_process(const std::vector<std::string>& command, const std::filesystem::path& folder,
                       const std::filesystem::path& scratch);

}  // namespace patchioner
