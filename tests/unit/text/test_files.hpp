// What the tests of this folder share: the golden cases, which lie outside of the tree, and a folder for
// files of their own.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "support/files.hpp"
#include "test_folder.hpp"

namespace patchioner::test {

/// The folder of a golden case, or nothing: then the test says that it is skipped.
inline std::optional<std::filesystem::path> golden_folder(const std::string& name) {
  const char* set = std::getenv("PATCHIONER_FIXTURES");
  const std::filesystem::path root =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(PATCHIONER_SOURCE_DIR) / "../shared/fixtures";
  if (std::filesystem::exists(root / name)) {
    return root / name;
  }
  std::fprintf(stderr, "skipped: no golden case %s (set PATCHIONER_FIXTURES)\n", name.c_str());
  return std::nullopt;
}

}  // namespace patchioner::test
