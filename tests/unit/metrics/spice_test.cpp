// SPICE of given tuples (spec/05 section 7.2).
#include "metrics/spice.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "refusals.hpp"

namespace patchioner {
namespace {

SpiceResult score(const std::vector<SpiceTuple>& candidate, const std::vector<SpiceTuple>& references) {
  static const SynonymTable synonyms = SynonymTable::from_meteor(
      "car\n1 2\nautomobile\n1\nmotorcar\n1\ngrey\n5\ngray\n5\nin_front_of\n9\nbefore\n9\n", "", "test");
  return spice_score({"item", candidate, references}, synonyms);
}

const SpiceScore& of(const SpiceResult& result, SpiceCategory category) {
  return result.scores[static_cast<size_t>(category)];
}

TEST_CASE("synonyms become one node, and their attributes and relations gather there") {
  const SpiceResult result =
      score({{"car"}, {"automobile", "grey"}, {"motorcar", "gray"}}, {{"car", "gray"}});
  REQUIRE(result.candidate.size() == 2);
  CHECK(result.candidate[0].parts == std::vector<std::string>{"automobile/car/motorcar"});
  CHECK(result.candidate[1].parts == std::vector<std::string>{"automobile/car/motorcar", "gray/grey"});
  CHECK(of(result, SpiceCategory::all).f == 1);
  // A merged colour is printed as no colour is.
  CHECK(of(result, SpiceCategory::color).false_positives == 0);
  CHECK(of(result, SpiceCategory::color).false_negatives == 1);
}

TEST_CASE("relations lose a leading be and match with their ends") {
  const SpiceResult result = score({{"man", "car", "be before"}}, {{"man", "automobile", "in front of"}});
  CHECK(of(result, SpiceCategory::relation).f == 1);
  CHECK(result.candidate.back().parts == std::vector<std::string>{"man", "before", "car"});
  CHECK(of(score({{"car", "man", "before"}}, {{"man", "car", "before"}}), SpiceCategory::relation).f == 0);
}

TEST_CASE("numbers, colours and sizes are categories of attributes") {
  const SpiceResult result = score({{"dog", "two"}, {"dog", "red"}, {"dog", "tiny"}, {"dog", "happy"}},
                                   {{"dog", "two"}, {"dog", "blue"}, {"dog", "tiny"}});
  CHECK(of(result, SpiceCategory::cardinality).f == 1);
  CHECK(of(result, SpiceCategory::color).f == 0);
  CHECK(of(result, SpiceCategory::size).true_positives == 1);
  CHECK(of(result, SpiceCategory::attribute).precision == doctest::Approx(0.5));
  CHECK(of(result, SpiceCategory::attribute).recall == doctest::Approx(2.0 / 3));
  CHECK(std::isnan(of(result, SpiceCategory::relation).f));
}

TEST_CASE("empty sides score 0 over all") {
  CHECK(of(score({}, {{"dog"}}), SpiceCategory::all).f == 0);
  CHECK(of(score({{"dog"}}, {}), SpiceCategory::all).f == 0);
  CHECK(of(score({}, {}), SpiceCategory::all).f == 0);
  CHECK(std::isnan(of(score({{"dog"}}, {}), SpiceCategory::object).f));
}

TEST_CASE("a tuple of four parts is refused with its item") {
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        score({{"a", "b", "c", "d"}}, {});
                      }),
           "item: a tuple of SPICE has 4");
}

}  // namespace
}  // namespace patchioner
