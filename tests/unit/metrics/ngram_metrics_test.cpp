// BLEU, ROUGE-L and CIDEr on numbers worked out by hand (spec/05 sections 3, 5, 6).
#include <doctest/doctest.h>

#include <cmath>

#include "metrics/bleu.hpp"
#include "metrics/cider.hpp"
#include "metrics/rouge.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

std::vector<Segment> small_corpus() {
  return {{"a b c", {"a b c d", "x b"}}, {"c d", {"d c", "c d"}}, {"", {"e"}}};
}

BleuScores bleu_of(const std::vector<Segment>& segments) {
  return bleu_scores(CountedSegments(segments));
}

SegmentScores cider_of(const std::vector<Segment>& segments, CiderForm form,
                       const DocumentFrequencies* frequencies = nullptr) {
  CountedSegments counted(segments);
  return cider_scores(counted, form, frequencies);
}

TEST_CASE("n-grams get one number each, and words are split at any white space") {
  NgramTable table;
  const Ngrams first = table.ngrams_of("a b a\u00a0b");
  const Ngrams second = table.ngrams_of("  a\tb\u3000");
  REQUIRE(first.words() == 4);
  REQUIRE(second.words() == 2);
  CHECK(first.of_order(2).size() == 3);
  CHECK(first.of_order(4).size() == 1);
  CHECK(second.of_order(3).empty());
  CHECK(second.of_order(2)[0] == table.number_of("a b"));
  CHECK(std::count(first.of_order(2).begin(), first.of_order(2).end(), table.number_of("a b")) == 2);
  CHECK(table.number_of(" ") == 0);
  CHECK(table.ngrams_of("").words() == 0);
}

TEST_CASE("many n-grams keep their numbers while the table grows") {
  NgramTable table;
  std::vector<uint32_t> numbers;
  for (int i = 0; i < 3000; ++i) {
    numbers.push_back(table.number_of(fmt::format("w{} w{}", i, i + 1)));
  }
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(table.number_of(fmt::format("w{} w{}", i, i + 1)) == numbers[static_cast<size_t>(i)]);
  }
}

TEST_CASE("BLEU counts clipped n-grams and the closest reference, the shorter of two") {
  const BleuScores bleu = bleu_of({{"the the the cat", {"the cat the", "a big old cat sat"}}});
  CHECK(bleu.totals.candidate_words == 4);
  CHECK(bleu.totals.reference_words == 3);  // 3 and 5 are as close
  CHECK(bleu.totals.correct[0] == 3);
  CHECK(bleu.totals.correct[1] == 1);
  CHECK(bleu.totals.guessed[3] == 1);
  CHECK(bleu.orders[0].corpus == doctest::Approx(0.75));
  CHECK(bleu.orders[1].corpus == doctest::Approx(std::sqrt(0.75 / 3)));
}

TEST_CASE("a perfect caption of three words has next to no BLEU-4, an empty one none at all") {
  const BleuScores bleu = bleu_of({{"a b c", {"a b c"}}, {"", {"a"}}});
  CHECK(bleu.orders[2].segments[0] == doctest::Approx(1));
  CHECK(bleu.orders[3].segments[0] == doctest::Approx(0.0316228).epsilon(1e-4));
  CHECK(bleu.orders[0].segments[1] == doctest::Approx(0));
}

TEST_CASE("a candidate that is too short is punished") {
  const BleuScores bleu = bleu_of({{"a b", {"a b c d"}}});
  CHECK(bleu.orders[0].corpus == doctest::Approx(std::exp(1 - 2.0)));
}

TEST_CASE("ROUGE-L takes precision and recall from different references") {
  const SegmentScores rouge = rouge_l_scores(small_corpus());
  // a b c: precision 3/3 and recall 3/4 of "a b c d"; recall 1/2 of "x b"
  CHECK(rouge.segments[0] == doctest::Approx(2.44 * 0.75 / (0.75 + 1.44)));
  CHECK(rouge.segments[1] == doctest::Approx(1));
  CHECK(rouge.segments[2] == 0);
  CHECK(rouge.corpus == doctest::Approx((rouge.segments[0] + 1) / 3));
  CHECK(rouge_l_scores(std::vector<Segment>{{"", {""}}}).corpus == doctest::Approx(1));
  CHECK(rouge_l_scores(std::vector<Segment>{{"a", {}}}).corpus == 0);
}

TEST_CASE("CIDEr of one item is 0, and of items that share no words 10 for a perfect one") {
  CHECK(cider_of({{"a b c d", {"a b c d"}}}, CiderForm::d).corpus == 0);
  const std::vector<Segment> two = {{"a b c d", {"a b c d"}}, {"e f g h", {"i j k l"}}};
  CHECK(cider_of(two, CiderForm::d).segments[0] == doctest::Approx(10));
  CHECK(cider_of(two, CiderForm::plain).segments[0] == doctest::Approx(10));
  CHECK(cider_of(two, CiderForm::d).segments[1] == 0);
  CHECK(cider_of(two, CiderForm::d).corpus == doctest::Approx(5));
}

TEST_CASE("CIDEr-D clips counts and punishes length by bigrams; plain CIDEr does neither") {
  const std::vector<Segment> segments = {{"a a", {"a"}}, {"x", {"y"}}};
  // One n of four has a value. Plain: the cosine is 1. D: min(2w, w) w / (2w w) = 1/2, one bigram apart.
  CHECK(cider_of(segments, CiderForm::plain).segments[0] == doctest::Approx(2.5));
  CHECK(cider_of(segments, CiderForm::d).segments[0] == doctest::Approx(1.25 * std::exp(-1.0 / 72)));
}

TEST_CASE("document frequencies may come from a table") {
  const TestFolder folder;
  const auto file = folder.write("df.json", R"({"num_docs": 8, "df": {"a": 8, "b": 2, "a b": 1, " ": 3}})");
  const DocumentFrequencies frequencies = DocumentFrequencies::read(file);
  // "a" weighs nothing, so that "a" and "a c" have "c" alone to differ in.
  const SegmentScores scores = cider_of({{"a", {"a"}}, {"b", {"b"}}}, CiderForm::d, &frequencies);
  CHECK(scores.segments[0] == 0);
  CHECK(scores.segments[1] == doctest::Approx(2.5));
  mentions(refusal_of(ErrorKind::data, [&] { DocumentFrequencies::read(folder.write("x.json", "[1]")); }),
           "num_docs");
  mentions(
      refusal_of(ErrorKind::data,
                 [&] { DocumentFrequencies::read(folder.write("x.json", R"({"num_docs": 0, "df": {}})")); }),
      "at least 1");
}

}  // namespace
}  // namespace patchioner
