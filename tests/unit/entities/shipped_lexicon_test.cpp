// Where the lexicon that comes with the program is looked for.
#include "entities/shipped_lexicon.hpp"

#include <cstdlib>

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

const std::string kPlace = "/models/lexicon/scene_graph_lexicon.json";

TEST_CASE("the lexicon is found in the tree of a build, below a prefix, and beside the named configs") {
  const TestFolder folder;
  const fs::path root = fs::canonical(folder.path());
  mentions(refusal_of(ErrorKind::config, [&] { shipped_lexicon(root / "tree/build/bin/program"); }),
           root.string() + "/tree" + kPlace);
  const fs::path built = folder.write("tree" + kPlace, "{}");
  CHECK(shipped_lexicon(root / "tree/build/bin/program") == fs::canonical(built));
  const fs::path installed = folder.write("prefix/share/patchioner" + kPlace, "{}");
  folder.write("prefix/lib/patchioner/libpatchioner_commands.so", "");
  folder.write(kPlace.substr(1), "{}");  // of somebody else
  CHECK(shipped_lexicon(root / "prefix/bin/program") == fs::canonical(installed));
  const fs::path named = folder.write("elsewhere" + kPlace, "{}");
  ::setenv("PATCHIONER_CONFIGS", (root / "elsewhere/configs").c_str(), 1);
  CHECK(shipped_lexicon(root / "tree/build/bin/program") == fs::canonical(named));
  ::unsetenv("PATCHIONER_CONFIGS");
}

}  // namespace
}  // namespace patchioner
