// Metrics by their names, and what cannot be scored (spec/05 sections 0 and 10).
#include "metrics/caption_scores.hpp"

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using Words = std::vector<std::string>;

std::vector<ScoredCaption> captions() {
  return {{"1", "A dog runs.", {"a dog runs", "The dog is running."}}, {"2", "Two cats!", {"two cats"}}};
}

TEST_CASE("metrics come in the order asked for, per item and for all") {
  const Words metrics = {"ROUGE_L", "Bleu_1", "CIDEr"};
  const std::vector<CaptionScores> scores = score_captions(captions(), metrics);
  REQUIRE(scores.size() == 3);
  for (size_t i = 0; i < scores.size(); ++i) {
    CHECK(scores[i].name == metrics[i]);
    CHECK(scores[i].scores.segments.size() == 2);
    CHECK(scores[i].note.empty());
  }
  CHECK(scores[0].scores.corpus == doctest::Approx(1));
  CHECK(scores[1].scores.corpus == doctest::Approx(1));
}

TEST_CASE("texts may be words already, and CIDEr may be the plain one") {
  CaptionScoreOptions options;
  options.tokenizer = ScoreTokenizer::whitespace;
  const std::vector<Segment> words = score_words(captions(), options);
  CHECK(words[0].candidate == "A dog runs.");
  CHECK(words[0].references[1] == "The dog is running.");
  options.cider = CiderForm::plain;
  CHECK(score_captions(captions(), Words{"CIDEr"}, options)[0].name == "CIDEr_plain");
}

TEST_CASE("METEOR without its data has another name and says why") {
  const TestFolder folder;
  CaptionScoreOptions options;
  options.meteor.wordnet = folder.path();
  const CaptionScores scores = score_captions(captions(), Words{"METEOR"}, options)[0];
  CHECK(scores.name == "METEOR(exact-stem)");
  mentions(scores.note, "no data of METEOR is named");
  options.meteor_input = MeteorInput::raw;
  CHECK(score_captions(captions(), Words{"METEOR"}, options)[0].scores.segments[1] <
        scores.scores.segments[1]);  // the exclamation mark counts
}

TEST_CASE("line ends that move captions are noted, and can be read as spaces") {
  std::vector<ScoredCaption> moved = {{"a", "one\rtwo", {"one two"}}, {"b", "three", {"three"}}};
  CaptionScoreOptions options;
  const CaptionScores scores = score_captions(moved, Words{"ROUGE_L"}, options)[0];
  CHECK(scores.scores.segments[1] == 0);
  mentions(scores.note, "captions of a hold line ends");
  options.sanitize_line_breaks = true;
  const CaptionScores sane = score_captions(moved, Words{"ROUGE_L"}, options)[0];
  CHECK(sane.scores.segments == std::vector<double>{1, 1});
  CHECK(sane.note.empty());
}

TEST_CASE("a single item's CIDEr is noted to be 0 always") {
  const std::vector<ScoredCaption> one = {{"x", "a b c d", {"a b c d"}}};
  const CaptionScores scores = score_captions(one, Words{"CIDEr"})[0];
  CHECK(scores.scores.corpus == 0);
  mentions(scores.note, "single item");
}

TEST_CASE("what cannot be scored is refused by name") {
  mentions(refusal_of(ErrorKind::usage, [] { score_captions(captions(), Words{"Bleu_5"}); }),
           "no caption metric 'Bleu_5'");
  mentions(refusal_of(ErrorKind::data, [] { score_captions({}, Words{"CIDEr"}); }), "no captions to score");
  const std::vector<ScoredCaption> bare = {{"img7", "a", {}}};
  mentions(refusal_of(ErrorKind::data, [&] { score_captions(bare, Words{"CIDEr"}); }),
           "no references for img7");
}

TEST_CASE("candidates and references are paired by id, in the references' order") {
  const auto pairs = pair_captions({{"b", "B"}, {"a", "A"}}, {{"a", {"x", "x"}}, {"b", {"y"}}});
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].id == "a");
  CHECK(pairs[0].candidate == "A");
  CHECK(pairs[0].references == Words{"x", "x"});
}

TEST_CASE("ids of one side alone are errors that name them, or are left out on demand") {
  const std::vector<std::pair<std::string, std::string>> candidates = {{"a", "A"}, {"c", "C"}};
  const std::vector<std::pair<std::string, Words>> references = {{"a", {"x"}}, {"b", {"y"}}};
  mentions(refusal_of(ErrorKind::data, [&] { pair_captions(candidates, references); }), "no candidate for b");
  mentions(refusal_of(ErrorKind::data, [&] { pair_captions(candidates, {references[0]}); }),
           "no references for c");
  CHECK(pair_captions(candidates, references, true).size() == 1);
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        pair_captions({{"a", "A"}, {"a", "B"}}, references);
                      }),
           "two candidates for a");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        pair_captions(candidates, {{"a", {"x"}}, {"a", {"y"}}}, true);
                      }),
           "references of a are given twice");
  std::vector<std::pair<std::string, Words>> many;
  for (int i = 0; i < 8; ++i) {
    many.push_back({std::to_string(i), {"x"}});
  }
  mentions(refusal_of(ErrorKind::data, [&] { pair_captions({}, many); }), "0, 1, 2, 3, 4 and 3 more");
}

}  // namespace
}  // namespace patchioner
