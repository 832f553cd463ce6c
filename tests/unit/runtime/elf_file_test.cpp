// What is read of a library without opening it.
#include "runtime/elf_file.hpp"

#include <doctest/doctest.h>

#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

TEST_CASE("the versions that a library needs are read, with their symbols where there is a section table") {
  const std::filesystem::path file =
      std::filesystem::path(PATCHIONER_BINARY_DIR) / "tests/broken_plugins/uses_core.so";
  const auto needed = ElfFile::read(file).versions_needed;
  REQUIRE(needed.contains("PATCHIONER_PRIVATE"));
  REQUIRE(needed.at("PATCHIONER_PRIVATE").size() == 1);
  CHECK(demangled(needed.at("PATCHIONER_PRIVATE").front()) ==
        "patchioner::format_bytes[abi:cxx11](unsigned long)");
  CHECK(needed.size() > 2);  // the SDK and the C library have versions too

  const TestFolder folder;
  std::string bare = read_file(file);
  bare.replace(40, 8, 8, '\0');  // e_shoff
  bare.replace(60, 2, 2, '\0');  // e_shnum
  const auto of_bare = ElfFile::read(folder.write("bare.so", bare)).versions_needed;
  REQUIRE(of_bare.contains("PATCHIONER_PRIVATE"));
  CHECK(of_bare.at("PATCHIONER_PRIVATE").empty());
}
