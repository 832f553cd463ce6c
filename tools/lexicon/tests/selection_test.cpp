// What of WordNet becomes the shipped lexicon; skipped where WordNet is not installed.
#include "selection.hpp"

#include <iostream>

#include "lexicon_file.hpp"
#include "refusals.hpp"
#include "support/files.hpp"

namespace patchioner::lexicon {
namespace {

constexpr const char* kWordNet = "/usr/share/wordnet";
const std::filesystem::path kProject = PATCHIONER_SOURCE_DIR;

TEST_CASE("the shipped lexicon is what the tool makes of WordNet") {
  if (!std::filesystem::exists(kWordNet)) {
    std::cout << "skipped: " << kWordNet << " is not installed\n";
    return;
  }
  const WordNet net = WordNet::read(kWordNet);
  const GlossCounts counts(net, phrases_of(net));
  Names entities = choose_entities(net, counts);
  for (const char* name : {"dog", "mice", "colas", "traffic light", "people", "building", "frisbee", "bear",
                           "books", "snow", "orange"}) {
    CAPTURE(name);
    CHECK(entities.contains(name));
  }
  for (const char* plural : {"arms", "cows", "human beings", "glasses", "lenses"}) {
    CAPTURE(plural);
    CHECK(entities.contains(plural));
    CHECK_FALSE(entities.contains(net.plural(plural)));
  }
  // An idea, a place, a number; forms of verbs; a colour; an adjective and its noun; a name; an article.
  for (const char* name :
       {"justice", "side", "bunch", "sitting", "pokes", "white", "young girl", "paris", "a battery"}) {
    CAPTURE(name);
    CHECK_FALSE(entities.contains(name));
  }
  const Names attributes =
      choose_attributes(net, counts, entities, words_of_text(kProject / "models/emoji/corpus.txt"));
  for (const char* word : {"red", "wooden", "parked", "tall", "brick", "snowy"}) {
    CAPTURE(word);
    CHECK(attributes.contains(word));
  }
  for (const char* word : {"on", "other", "sitting", "two"}) {
    CAPTURE(word);
    CHECK_FALSE(attributes.contains(word));
  }
  entities.merge(names_of_things(kProject / "tools/emojiworld/objects.tsv"));
  entities.merge(names_of_list(kProject / "models/emoji/entities.txt"));
  CHECK(lexicon_document(entities, attributes) ==
        read_file(kProject / "models/lexicon/scene_graph_lexicon.json"));
}

}  // namespace
}  // namespace patchioner::lexicon
