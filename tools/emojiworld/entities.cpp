// The entity vocabulary: what captions of the world may name.
#include <set>

#include "commands.hpp"
#include "language.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {

void make_entities(const World& world, const Settings& settings) {
  std::set<std::string> names(ground_nouns().begin(), ground_nouns().end());
  for (const Thing& thing : world.things) {
    names.insert(thing.noun);
  }
  std::string text;
  for (const std::string& name : names) {
    text += name + "\n";
  }
  write_file(settings.output / "entities.txt", text);
  settings.report("entities", fmt::format("{} names", names.size()));
}

}  // namespace patchioner::emoji
