#include "entities/shipped_lexicon.hpp"

#include <fmt/ranges.h>

#include <cstdlib>
#include <patchioner/error.hpp>
#include <string>
#include <vector>

#include "support/program_layout.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlace = "models/lexicon/scene_graph_lexicon.json";

}  // namespace

fs::path shipped_lexicon(const fs::path& program) {
  std::vector<fs::path> roots;
  if (const char* configs = std::getenv("PATCHIONER_CONFIGS")) {
    roots.push_back(fs::absolute(configs) / "..");
  }
  roots.push_back(program_layout(program).files);
  std::vector<std::string> tried;
  for (const fs::path& root : roots) {
    const fs::path candidate = (root / kPlace).lexically_normal();
    if (fs::is_regular_file(candidate)) {
      return candidate;
    }
    tried.push_back(candidate.string());
  }
  throw Error(ErrorKind::config,
              "the lexicon that comes with the program is missing (looked for {}); name one by the key "
              "'lexicon', or set PATCHIONER_CONFIGS to the folder of configs beside which models/ lies",
              fmt::join(tried, ", "));
}

fs::path shipped_lexicon() {
  return shipped_lexicon(fs::read_symlink("/proc/self/exe"));
}

}  // namespace patchioner
