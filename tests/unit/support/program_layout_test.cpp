// Where a program looks for what comes with it.
#include "support/program_layout.hpp"

#include <doctest/doctest.h>

#include "test_folder.hpp"

namespace patchioner {
namespace {

TEST_CASE("a program of a build folder has its parts around it, an installed one below its prefix") {
  const TestFolder folder;
  const std::filesystem::path root = folder.path();
  const ProgramLayout built = program_layout(root / "tree/build/bin/patchioner");
  CHECK(built.plugins == root / "tree/build/bin/plugins");
  CHECK(built.files == root / "tree");
  folder.write("home/.local/lib/patchioner/libpatchioner_commands.so", "");
  const ProgramLayout installed = program_layout(root / "home/.local/bin/patchioner");
  CHECK(installed.plugins == root / "home/.local/lib/patchioner/plugins");
  CHECK(installed.files == root / "home/.local/share/patchioner");
}

TEST_CASE("folders that are merely there do not make an installation a build folder, nor the reverse") {
  const TestFolder folder;
  folder.write("prefix/lib/patchioner/libpatchioner_commands.so", "");
  folder.write("prefix/bin/plugins/gap/none.so", "");
  folder.write("configs/default.yaml", "");
  CHECK(program_layout(folder / "prefix/bin/patchioner").files == folder / "prefix/share/patchioner");
  folder.write("prefix/bin/libpatchioner_commands.so", "");  // what the launcher would load
  CHECK(program_layout(folder / "prefix/bin/patchioner").files == folder.path());
}

}  // namespace
}  // namespace patchioner
