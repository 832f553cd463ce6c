// Tuples of captions by rules, and how alike SPICE(rules) finds captions (spec/05 sections 7.1 and 7.3).
#include "scoring/spice_rule_tuples.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "entities/shipped_lexicon.hpp"
#include "scoring/spice_base_form.hpp"
#include "scoring/spice_metric.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

using Tuples = std::vector<SpiceTuple>;

Tuples tuples(const char* caption) {
  static const SpiceRuleParser parser(SceneGraphLexicon::read(shipped_lexicon()));
  return parser.tuples(caption);
}

TEST_CASE("verbs lose their endings as they are spelled") {
  const std::vector<std::pair<const char*, const char*>> forms = {
      {"riding", "ride"},      {"rides", "ride"},         {"rode", "ride"},     {"sitting", "sit"},
      {"eating", "eat"},       {"carries", "carry"},      {"carried", "carry"}, {"tied", "tie"},
      {"lying", "lie"},        {"covered", "cover"},      {"opening", "open"},  {"used", "use"},
      {"dancing", "dance"},    {"rolling", "roll"},       {"passes", "pass"},   {"handling", "handle"},
      {"grazing", "graze"},    {"decorated", "decorate"}, {"catches", "catch"}, {"seeing", "see"},
      {"skiing", "ski"},       {"changing", "change"},    {"hanging", "hang"},  {"surfing", "surf"},
      {"preparing", "prepare"}};
  for (const auto& [form, base] : forms) {
    CHECK(verb_base_form(form) == base);
  }
}

TEST_CASE("words that are no forms of verbs stay") {
  for (const char* word : {"on", "across", "string", "shed", "feed", "during", "its", "front", "fly", ""}) {
    CHECK(verb_base_form(word) == word);
  }
}

TEST_CASE("things, attributes and relations become tuples in their base forms") {
  CHECK(tuples("two young men are riding brown horses") == Tuples{{"man"},
                                                                  {"man", "two"},
                                                                  {"man", "young"},
                                                                  {"horse"},
                                                                  {"horse", "brown"},
                                                                  {"man", "horse", "ride"}});
  CHECK(tuples("the dog is small and black") == Tuples{{"dog"}, {"dog", "small"}, {"dog", "black"}});
  CHECK(tuples("a dog") == Tuples{{"dog"}});
  CHECK(tuples("it is what it is").empty());
  CHECK(tuples("").empty());
}

TEST_CASE("things side by side share a relation and have none to each other") {
  CHECK(tuples("a man with a hat and a bag") ==
        Tuples{{"man"}, {"hat"}, {"bag"}, {"man", "hat", "with"}, {"man", "bag", "with"}});
  CHECK(tuples("a man and a woman on a bench") ==
        Tuples{{"man"}, {"woman"}, {"bench"}, {"man", "bench", "on"}, {"woman", "bench", "on"}});
  // On both sides there is a relation, and whose the things are is not said.
  CHECK(tuples("a dog on a bench and a cat on a chair") ==
        Tuples{{"dog"}, {"bench"}, {"cat"}, {"chair"}, {"dog", "bench", "on"}, {"cat", "chair", "on"}});
}

TEST_CASE("words of quantity are no things and no relations") {
  CHECK(tuples("a couple of people holding a bunch of bananas") ==
        Tuples{{"people"}, {"banana"}, {"people", "banana", "hold"}});
}

TEST_CASE("only the last clause between two things relates them") {
  CHECK(tuples("a man sits and happily walks a dog").back() == SpiceTuple{"man", "dog", "walk"});
  CHECK(tuples("a table with chairs and covered by a cloth").back() ==
        SpiceTuple{"table", "cloth", "cover by"});
}

// Pairs of COCO, which lie outside of the tree.
TEST_CASE(
    "real captions are like themselves, unlike others', and in between like another one of their image") {
  const char* set = std::getenv("PATCHIONER_FIXTURES");
  const std::filesystem::path folder =
      (set != nullptr ? std::filesystem::path(set)
                      : std::filesystem::path(PATCHIONER_SOURCE_DIR) / "../shared/fixtures") /
      "metrics/coco_loo_100";
  if (!std::filesystem::exists(folder)) {
    std::fprintf(stderr, "skipped: no golden case metrics/coco_loo_100 (set PATCHIONER_FIXTURES)\n");
    return;
  }
  const auto candidates = nlohmann::json::parse(read_file(folder / "cands.json"));
  const auto references = nlohmann::json::parse(read_file(folder / "refs.json"));
  std::vector<ScoredCaption> captions;
  for (const auto& [id, texts] : references.items()) {
    captions.push_back({id, candidates.at(id), texts});
  }
  const auto mean = [](const std::vector<ScoredCaption>& items) {
    const SpiceScores scores = spice_scores(items, score_words(items, {}), {});
    CHECK(scores.all.scores.segments.size() == items.size());
    return scores.all.scores.corpus;
  };
  std::vector<ScoredCaption> same = captions;
  std::vector<ScoredCaption> moved = captions;
  for (size_t i = 0; i < captions.size(); ++i) {
    same[i].references = {captions[i].candidate};
    moved[i].candidate = captions[(i + 37) % captions.size()].candidate;
  }
  CHECK(mean(same) == 0.99);  // of one of the hundred the lexicon knows nothing, which scores 0
  const double between = mean(captions);
  CHECK(between > 0.15);
  CHECK(between < 0.3);
  CHECK(mean(moved) < 0.03);
}

}  // namespace
}  // namespace patchioner
