// Captions on their way into training. Expected captions and prompts of the first two cases are those of the
// golden case decoders/viecap_train_a, made with ViECap's code.
#include "entities/training_entities.hpp"

#include <doctest/doctest.h>

namespace patchioner {
namespace {

using Names = std::vector<std::string>;

/// A random source that must give just these numbers.
struct Draws {
  std::vector<double> numbers;
  size_t used = 0;
  std::function<double()> source() {
    return [this] { return numbers.at(used++); };
  }
};

TEST_CASE("a caption begins with a capital and ends with a mark") {
  CHECK(clean_training_caption("a young man riding a horse near a tree") ==
        "A young man riding a horse near a tree.");
  CHECK(clean_training_caption("Two dogs playing with a red ball!") == "Two dogs playing with a red ball!");
  CHECK(clean_training_caption("A WOMAN HOLDING AN UMBRELLA.") == "A woman holding an umbrella.");
  CHECK(clean_training_caption("cat") == "Cat.");
  CHECK(clean_training_caption("several giraffes standing behind a tree \"there\"") ==
        "Several giraffes standing behind a tree \"there\"");
  CHECK(clean_training_caption(" \u00e9clairs \n") == "\u00c9clairs.");
  CHECK(clean_training_caption("\u00df") == "\u00df.");
  CHECK(clean_training_caption("\u03c9 \u00e5") == "\u03a9 \u00e5.");
  CHECK(clean_training_caption("9 O'CLOCK") == "9 o'clock.");
  CHECK(clean_training_caption("9") == "9.");
  CHECK(clean_training_caption(" ") == "");
}

TEST_CASE("entities are filtered by the vocabulary, persons brought together, and each left is drawn for") {
  const std::unordered_set<std::string> vocabulary = {"man", "horse", "tree", "giraffe", "part"};
  Draws draws{{0.1068, 0.7025, 0.4}};
  CHECK(filter_entities({"man", "horse", "tree"}, vocabulary, {}, draws.source()) == Names{"horse", "tree"});
  CHECK(draws.used == 3);
  Draws all{{0.5, 0.5, 0.5, 0.5}};
  CHECK(filter_entities({"giraffe", "Tree", "woman", "x", "part", "sky", "boy", "giraffe"}, vocabulary, {},
                        all.source()) == Names{"giraffe", "person"});
  CHECK(all.used == 4);
  Draws few{{0.5}};
  CHECK(filter_entities({"sky", "horse", "tree"}, vocabulary, {.max_entities = 2}, few.source()) ==
        Names{"horse"});
}

TEST_CASE("without masking the whole list is given when one entity is good, or the filtered one on request") {
  const std::unordered_set<std::string> vocabulary = {"giraffe", "tree"};
  Draws none{{}};
  CHECK(filter_entities({"giraffe", "tree", "Tree", "giraffe"}, vocabulary, {.random_mask = false},
                        none.source()) == Names{"giraffe", "tree", "Tree"});
  CHECK(filter_entities({"something", "sky"}, vocabulary, {.random_mask = false}, none.source()) == Names{});
  CHECK(filter_entities({"man", "tree", "Tree"}, vocabulary,
                        {.random_mask = false, .filter_without_mask = true},
                        none.source()) == Names{"person", "tree"});
}

TEST_CASE("plural endings are taken off when a known word is left") {
  const NounExtractor extractor(
      {}, {"bus", "knife", "leaf", "box", "waltz", "bench", "brush", "fireman", "puppy", "dog", "glas"});
  for (const auto& [word, lemma] : std::vector<std::pair<std::string, std::string>>{{"buses", "bus"},
                                                                                    {"leaves", "leaf"},
                                                                                    {"boxes", "box"},
                                                                                    {"waltzes", "waltz"},
                                                                                    {"benches", "bench"},
                                                                                    {"brushes", "brush"},
                                                                                    {"firemen", "fireman"},
                                                                                    {"puppies", "puppy"},
                                                                                    {"dogs", "dog"},
                                                                                    {"knives", "knives"},
                                                                                    {"glass", "glass"},
                                                                                    {"bus", "bus"},
                                                                                    {"women", "woman"},
                                                                                    {"men", "men"},
                                                                                    {"children", "child"},
                                                                                    {"players", "player"},
                                                                                    {"cats", "cats"}}) {
    CAPTURE(word);
    CHECK(extractor.lemma(word) == lemma);
  }
}

TEST_CASE("nouns are the words that are entities or persons, in the singular, each once") {
  const NounExtractor extractor({"dog", "t-shirt", "fire truck", "hats"}, {"dog", "hat", "truck"});
  CHECK(extractor.extract("Two DOGS, a dog's T-shirt; men and a fire truck with hats") ==
        Names{"dog", "t-shirt", "men", "hat"});
  CHECK(extractor.extract("caf\u00e9 2dogs") == Names{"dog"});
  CHECK(extractor.extract("").empty());
}

TEST_CASE("a lexicon says by itself what nouns are, and their singulars") {
  SceneGraphLexicon lexicon;
  lexicon.entities = {"dog", "cats", "cat", "fire truck"};
  CHECK(NounExtractor(lexicon).extract("Dogs, two cats and a fire truck") == Names{"dog", "cat"});
  CHECK(single_word_entities(lexicon) == WordSet{"dog", "cats", "cat"});
}

}  // namespace
}  // namespace patchioner
