#include "support/program_layout.hpp"

namespace patchioner {

namespace fs = std::filesystem;

ProgramLayout program_layout(const fs::path& program) {
  const fs::path folder = program.parent_path();
  const fs::path above = folder.parent_path();
  return is_installed(folder.string())
             ? ProgramLayout{above / "lib/patchioner/plugins", above / "share/patchioner"}
             : ProgramLayout{folder / "plugins", above.parent_path()};
}

ProgramLayout program_layout() {
  return program_layout(fs::read_symlink("/proc/self/exe"));
}

}  // namespace patchioner
