// Where the parts of the program lie that are files of their own: around its build folder, or below the
// prefix that it was installed into.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace patchioner {

constexpr const char* kCommandsLibrary = "libpatchioner_commands.so";

/// Whether the program in `folder` (PREFIX/bin, without links in it) was installed: the library of its
/// commands lies in PREFIX/lib/patchioner, and not beside the program as in a build folder. Only this
/// decides, since folders called configs or plugins may lie around a prefix such as ~/.local that have
/// nothing to do with it. Here in full because the launcher asks before it loads any library.
inline bool is_installed(const std::string& folder) {
  const std::string beside = folder + "/" + kCommandsLibrary;
  const std::string installed = folder.substr(0, folder.rfind('/')) + "/lib/patchioner/" + kCommandsLibrary;
  return ::access(beside.c_str(), F_OK) != 0 && ::access(installed.c_str(), F_OK) == 0;
}

struct ProgramLayout {
  std::filesystem::path plugins;  ///< <kind>/NAME.so
  std::filesystem::path files;    ///< configs/, models/, templates/
};

/// Of the program of this absolute path, in FOLDER/bin or PREFIX/bin. What it names need not be there.
ProgramLayout program_layout(const std::filesystem::path& program);

/// Of the program that runs.
ProgramLayout program_layout();

}  // namespace patchioner
