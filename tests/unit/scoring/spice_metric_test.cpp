// SPICE by its backends: rules and files of tuples (spec/05 section 7).
#include "scoring/spice_metric.hpp"

#include <cmath>

#include "metrics/spice.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

std::vector<ScoredCaption> two_captions() {
  return {{"7", "two dogs on a red bench", {"a dog on a bench", "two dogs"}},
          {"kitchen.jpg", "a zebra", {"a woman with a hat"}}};
}

SpiceOptions without_synonyms(SpiceBackend backend) {
  SpiceOptions options;
  options.backend = backend;
  options.synonyms.fallback = MeteorFallback::none;
  return options;
}

SpiceScores score(const SpiceOptions& options) {
  const std::vector<ScoredCaption> captions = two_captions();
  return spice_scores(captions, score_words(captions, {}), options);
}

TEST_CASE("SPICE(rules) is the mean of its items, and has a value for each category") {
  const SpiceScores scores = score(without_synonyms(SpiceBackend::rules));
  CHECK(scores.all.name == "SPICE(rules)");
  // Candidate: dog, (dog, two), bench, (bench, red), (dog, bench, on); the references have all but one.
  const double f = 2 * 0.8 * 1 / 1.8;
  CHECK(scores.all.scores.segments == std::vector<double>{f, 0});
  CHECK(scores.all.scores.corpus == f / 2);
  mentions(scores.all.note, "by rules");
  mentions(scores.all.note, "without synonyms (no data of METEOR is named)");
  REQUIRE(scores.categories.size() == 6);
  CHECK(scores.categories[0].name == "Object");
  CHECK(scores.categories[0].scores.segments == std::vector<double>{1, 0});
  const CaptionScores& cardinality = scores.categories[3];
  CHECK(cardinality.name == "Cardinality");
  CHECK(cardinality.scores.segments[0] == 1);
  CHECK(std::isnan(cardinality.scores.segments[1]));
  CHECK(cardinality.scores.corpus == 1);                  // of the one item that has a number
  CHECK(std::isnan(scores.categories[5].scores.corpus));  // no reference has a size
}

TEST_CASE("synonyms come from METEOR's data, or from WordNet; without them it is noted") {
  const TestFolder folder;
  folder.write("meteor/english.synsets", "sofa\n1\ncouch\n1\n");
  folder.write("meteor/english.exceptions", "");
  const std::vector<ScoredCaption> captions = {{"1", "a sofa", {"a couch"}}};
  const std::vector<Segment> words = score_words(captions, {});
  SpiceOptions options = without_synonyms(SpiceBackend::rules);
  CHECK(spice_scores(captions, words, options).all.scores.corpus == 0);
  options.synonyms.data = folder / "meteor";
  const SpiceScores scores = spice_scores(captions, words, options);
  CHECK(scores.all.scores.corpus == 1);
  CHECK_FALSE(contains(scores.all.note, "synonyms"));
  options.synonyms = {};
  options.synonyms.wordnet = folder / "none";
  const SpiceScores strings = spice_scores(captions, words, options);
  CHECK(strings.all.scores.corpus == 0);
  mentions(strings.all.note, "none; Debian's package is wordnet-base");
}

TEST_CASE("SPICE(tuples) reads the tuples of each id, and the references' in one list or a list each") {
  const TestFolder folder;
  SpiceOptions options = without_synonyms(SpiceBackend::tuples);
  options.tuples = folder.write("tuples.json", R"([
    {"image_id": "kitchen.jpg", "test": [["pan"], ["pan", "red"]], "refs": [[["pan"]], [], [["pan", "red"]]]},
    {"image_id": 7, "test": [["dog"], ["dog", "bench", "on"]], "refs": [["dog"], ["bench"]]},
    {"image_id": 99, "test": [], "refs": []}])");
  const SpiceScores scores = score(options);
  CHECK(scores.all.name == "SPICE(tuples)");
  CHECK(scores.all.scores.segments[0] == doctest::Approx(0.8));  // dog, bench; the relation is no one's
  CHECK(scores.all.scores.segments[1] == 1);
  CHECK(scores.all.scores.corpus == doctest::Approx(0.9));
  mentions(scores.all.note, "without synonyms");
}

TEST_CASE("golden tuples' own layout is read too") {
  const TestFolder folder;
  SpiceOptions options = without_synonyms(SpiceBackend::tuples);
  options.tuples = folder.write("items.json", R"([{"id": "7", "test": [["a"]], "ref": [["a"]]},
                                                  {"id": "kitchen.jpg", "test": [["a"]], "ref": [["b"]]}])");
  CHECK(score(options).all.scores.segments == std::vector<double>{1, 0});
}

TEST_CASE("tuples that are absent or broken are told with their place and id") {
  const TestFolder folder;
  SpiceOptions options = without_synonyms(SpiceBackend::tuples);
  mentions(refusal_of(ErrorKind::config, [&] { score(options); }),
           "spice: tuples needs score.spice_tuples (--spice-tuples)");
  options.tuples = folder / "absent.json";
  mentions(refusal_of(ErrorKind::io, [&] { score(options); }), "absent.json");
  const auto refusal = [&](const char* content) {
    options.tuples = folder.write("tuples.json", content);
    return refusal_of(ErrorKind::data, [&] { score(options); });
  };
  mentions(refusal(R"({"7": []})"), "tuples.json: these are no tuples of SPICE");
  mentions(refusal(R"([{"image_id": 7, "test": [], "refs": []}])"), "no tuples of kitchen.jpg");
  mentions(refusal(R"([{"image_id": 7, "test": [["a"], ["a", "b", "c", "d"]], "refs": []}])"),
           R"(tuples.json: item 0: 7: "test"[1] is ["a","b","c","d"]; a tuple is)");
  mentions(refusal(R"([{"image_id": 7, "test": [], "refs": [[["a"]], [["a", 2]]]}])"),
           R"("refs"[1][0] is ["a",2])");
  mentions(refusal(R"([{"image_id": 7, "test": [], "refs": [["a"], []]}])"), R"("refs"[1] is [])");
  mentions(refusal(R"([{"image_id": 7, "test": "dog", "refs": []}])"),
           R"("test" is "dog"; expected is a list)");
  mentions(refusal(R"([{"image_id": 7, "refs": []}])"), R"(item 0: 7: has no "test")");
  mentions(refusal(R"([{"test": [], "refs": []}])"), R"(item 0: has no "image_id")");
  mentions(refusal(R"([{"image_id": 7, "test": [], "refs": []}, {"image_id": "7", "test": [], "refs": []}])"),
           "item 1: 7 is there twice");
  mentions(refusal("[3]"), "item 0: an item is an object");
}

TEST_CASE("backends have names, and others are refused") {
  CHECK(spice_backend_from("rules") == SpiceBackend::rules);
  CHECK(spice_backend_from("tuples") == SpiceBackend::tuples);
  CHECK(spice_backend_from("java") == SpiceBackend::java);
  mentions(refusal_of(ErrorKind::usage, [] { spice_backend_from("rule"); }), "did you mean 'rules'?");
  mentions(refusal_of(ErrorKind::data, [] { spice_scores({}, {}, {}); }), "no captions to score");
}

}  // namespace
}  // namespace patchioner
