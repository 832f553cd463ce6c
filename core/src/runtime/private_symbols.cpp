#include "runtime/private_symbols.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/program_layout.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

bool comes_with_the_program(const fs::path& file) {
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(program_layout().plugins, ignored);
  const fs::path canonical = fs::weakly_canonical(file, ignored);
  return std::mismatch(folder.begin(), folder.end(), canonical.begin(), canonical.end()).first ==
         folder.end();
}

}  // namespace

std::string private_use(const ElfFile& library) {
  const auto found = library.versions_needed.find("PATCHIONER_PRIVATE");
  if (found == library.versions_needed.end() || comes_with_the_program(library.path)) {
    return "";
  }
  const std::vector<std::string>& symbols = found->second;
  const std::string which = symbols.empty()       ? ""
                            : symbols.size() == 1 ? fmt::format(": {}", demangled(symbols.front()))
                                                  : fmt::format(": {} symbols, the first of them {}",
                                                                symbols.size(), demangled(symbols.front()));
  return fmt::format(
      "it uses what is the program's own and no part of the SDK (PATCHIONER_PRIVATE){}; another version of "
      "the program may not have it; include no other headers than <patchioner/...>",
      which);
}

}  // namespace patchioner
