// Scores by hand: one caption understood, one in which a thing and an attribute are missed.
#include "measure.hpp"

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner::lexicon {
namespace {

SceneGraphLexicon small_lexicon() {
  SceneGraphLexicon lexicon;
  lexicon.entities = {"dog", "hat", "phone"};
  lexicon.attributes = {"red", "old"};
  lexicon.dropped_relation_words = {"a"};
  return lexicon;
}

TEST_CASE("things count once a caption, attributes with their thing") {
  const TestFolder folder;
  const auto pairs = folder.write("pairs.jsonl", R"json(
{"caption": "a dog with a red hat", "scene_graph": "( dog , with , hat ) , ( hat , is , red )"}
{"caption": "an old cell phone on a table", "scene_graph": "( cell phone , on , table ) , ( cell phone , is , old )"}
)json");
  const Measure measure = measure_parser(small_lexicon(), pairs);
  CHECK(measure.captions == 2);
  // Found dog, hat, phone; wanted dog, hat, cell phone, table.
  CHECK(measure.entities.precision() == doctest::Approx(2.0 / 3));
  CHECK(measure.entities.recall() == doctest::Approx(2.0 / 4));
  // Found red hat ("old" stands before "cell"); wanted red hat, old cell phone.
  CHECK(measure.attributes.precision() == doctest::Approx(1));
  CHECK(measure.attributes.recall() == doctest::Approx(1.0 / 2));
  mentions(refusal_of(ErrorKind::data, [&] { measure_parser({}, folder.write("bad.jsonl", "{}\n")); }),
           "line 1");
}

}  // namespace
}  // namespace patchioner::lexicon
