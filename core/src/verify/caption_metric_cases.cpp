// Golden cases of the caption metrics: tokenizer, BLEU, ROUGE-L, CIDEr, METEOR, scores of embeddings.
#include "metrics/bleu.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/caption_tokenizer.hpp"
#include "metrics/cider.hpp"
#include "metrics/embedding_scores.hpp"
#include "metrics/meteor.hpp"
#include "metrics/rouge.hpp"
#include "support/split.hpp"
#include "verify/case_json.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

/// refs.json and cands.json, in the order of the references.
std::vector<ScoredCaption> captions_of(const GoldenCase& golden) {
  std::vector<std::pair<std::string, Strings>> references;
  const Json reference_json = case_json(golden, "refs.json");
  for (const auto& [id, captions] : reference_json.items()) {
    references.emplace_back(id, captions.get<Strings>());
  }
  std::vector<std::pair<std::string, std::string>> candidates;
  const Json candidate_json = case_json(golden, "cands.json");
  for (const auto& [id, caption] : candidate_json.items()) {
    candidates.emplace_back(id, caption.get<std::string>());
  }
  return pair_captions(candidates, references);
}

/// An item's statistics a row: [items,23].
at::Tensor statistics_of(const std::vector<MeteorResult::Item>& items) {
  const auto count = static_cast<int64_t>(MeteorStatistics::kCount);
  at::Tensor rows = at::empty({static_cast<int64_t>(items.size()), count}, at::kDouble);
  auto* out = rows.data_ptr<double>();
  for (const MeteorResult::Item& item : items) {
    const auto values = item.statistics.values();
    out = std::copy(values.begin(), values.end(), out);
  }
  return rows;
}

void compare_words(CaseReport& report, const Json& expected, const std::vector<ScoredCaption>& captions,
                   const std::vector<Segment>& words) {
  for (size_t i = 0; i < captions.size(); ++i) {
    const std::string& id = captions[i].id;
    if (expected.contains("refs_tok")) {
      const auto wanted = expected["refs_tok"].at(id).get<Strings>();
      report.require("refs_tok." + id + " in number", wanted.size() == words[i].references.size());
      for (size_t j = 0; j < std::min(wanted.size(), words[i].references.size()); ++j) {
        report.compare_text(fmt::format("refs_tok.{}[{}]", id, j), words[i].references[j], wanted[j]);
      }
    }
    if (expected.contains("cands_tok")) {
      const Json& wanted = expected["cands_tok"].at(id);
      report.compare_text("cands_tok." + id, words[i].candidate,
                          (wanted.is_array() ? wanted.at(0) : wanted).get<std::string>());
    }
  }
}

void compare_totals(CaseReport& report, const Json& expected, const BleuCounts& totals) {
  report.require("testlen", expected.at("testlen").get<uint64_t>() == totals.candidate_words);
  report.require("reflen", expected.at("reflen").get<uint64_t>() == totals.reference_words);
  for (size_t n = 0; n < kLongestNgram; ++n) {
    report.require(fmt::format("guess[{}]", n),
                   expected.at("guess").at(n).get<uint64_t>() == totals.guessed[n]);
    report.require(fmt::format("correct[{}]", n),
                   expected.at("correct").at(n).get<uint64_t>() == totals.correct[n]);
  }
}

EmbeddingRows rows_of(const at::Tensor& tensor) {
  return {std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())),
          static_cast<size_t>(tensor.size(1))};
}

}  // namespace

void verify_ptb_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const auto strings = case_json(golden, "strings.json").get<Strings>();
  const Json expected = expected_json(golden);
  report.require("a result a string", strings.size() == expected.size());
  const PtbLexer lexer;
  for (size_t i = 0; i < std::min(strings.size(), expected.size()); ++i) {
    std::string text = strings[i];
    std::replace(text.begin(), text.end(), '\n', ' ');
    const std::string line = split(lexer.tokens_of(text), '\n').front();
    const Strings tokens = line.empty() ? Strings() : split(line, ' ');
    report.require(fmt::format("tokens[{}] of \"{}\"", i, text),
                   tokens == expected[i].at("tokens").get<Strings>());
    report.compare_text(fmt::format("final[{}]", i), without_punctuation(line),
                        expected[i].at("final").get<std::string>());
  }
}

void verify_ptb_batch(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const Json captions = case_json(golden, "captions.json");
  const Json expected = expected_json(golden);
  Strings batch;
  for (const auto& [id, list] : captions.items()) {
    for (const auto& caption : list) {
      batch.push_back(caption.get<std::string>());
    }
  }
  const Strings lines = CaptionTokenizer().tokenize(batch);
  size_t next = 0;
  for (const auto& [id, list] : captions.items()) {
    Strings ours;
    for (size_t i = 0; i < list.size() && next < lines.size(); ++i) {
      ours.push_back(lines[next++]);
    }
    report.require(id + " has lines", ours.empty() != expected.contains(id));
    if (expected.contains(id)) {
      report.require(id + "'s lines", ours == expected[id].get<Strings>());
    }
  }
}

void verify_caption_scores(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  const std::vector<ScoredCaption> captions = captions_of(golden);
  const Json expected = expected_json(golden);
  require_promised_tensors(golden, report);
  const std::vector<Segment> words = score_words(captions, {});
  compare_words(report, expected, captions, words);

  std::map<std::string, SegmentScores> scores;
  CountedSegments counted(words);
  const BleuScores bleu = bleu_scores(counted);
  compare_totals(report, expected.at("bleu_totals"), bleu.totals);
  for (size_t n = 0; n < kLongestNgram; ++n) {
    scores[fmt::format("Bleu_{}", n + 1)] = bleu.orders[n];
  }
  scores["ROUGE_L"] = rouge_l_scores(words);
  scores["CIDEr"] = cider_scores(counted, CiderForm::d);
  scores["CIDEr_plain"] = cider_scores(counted, CiderForm::plain);
  const MeteorResult meteor = meteor_scores(words, data);
  scores["METEOR"] = meteor.scores();
  report.compare("METEOR_stats", statistics_of(meteor.items));
  for (const auto& [name, score] : scores) {
    report.compare(name, doubles(score.segments), "scores");
    report.compare_number("corpus." + name, score.corpus, expected.at("corpus").at(name).get<double>());
  }
  for (const auto& [name, value] : expected.at("corpus").items()) {
    report.require("corpus." + name + " is known", scores.contains(name));
  }
}

void verify_cider_frequencies(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const DocumentFrequencies frequencies = DocumentFrequencies::read(golden.file("df.json"));
  const std::vector<ScoredCaption> captions = captions_of(golden);
  const Json expected = expected_json(golden);
  require_promised_tensors(golden, report);
  CaptionScoreOptions options;
  options.tokenizer = ScoreTokenizer::whitespace;  // the case's texts are words already
  CountedSegments counted(score_words(captions, options));
  for (const auto& [name, form] :
       {std::pair("CIDErD", CiderForm::d), std::pair("CIDEr_plain", CiderForm::plain)}) {
    const SegmentScores scores = cider_scores(counted, form, &frequencies);
    report.compare(name, doubles(scores.segments), "scores");
    report.compare_number(fmt::format("corpus.{}", name), scores.corpus, expected.at(name).get<double>());
  }
}

void verify_embedding_scores(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  require_promised_tensors(golden, report);
  const StateDict inputs = StateDict::open(golden.file("inputs.safetensors"), "");
  const at::Tensor images = inputs.tensor("image").contiguous();          // [N,D]
  const at::Tensor candidates = inputs.tensor("candidate").contiguous();  // [N,D]
  const at::Tensor references = inputs.tensor("reference").contiguous();  // [sum of counts,D]
  const at::Tensor numbers = inputs.tensor("ref_counts").to(at::kLong).contiguous();
  const std::vector<size_t> counts(numbers.const_data_ptr<int64_t>(),
                                   numbers.const_data_ptr<int64_t>() + numbers.numel());

  std::map<std::string, EmbeddingScores> scores;
  scores["clip_s"] = image_text_scores(rows_of(images), rows_of(candidates), kClipScoreWeight);
  scores["pac_s"] = image_text_scores(rows_of(images), rows_of(candidates), kPacScoreWeight);
  scores["refpac_reference"] = reference_text_scores(rows_of(candidates), rows_of(references), counts);
  scores["refpac_original"] = harmonic_scores(scores["pac_s"], scores["refpac_reference"]);
  scores["refclip_original"] = harmonic_scores(scores["clip_s"], scores["refpac_reference"]);
  const nlohmann::json& expected = golden.json().at("expected");
  for (const auto& [name, score] : scores) {
    report.compare(name, doubles(score.values));
    if (expected.at("means").contains(name)) {
      report.compare_number("mean." + name, score.mean, expected["means"][name].get<double>());
    }
    if (expected.at("std_population").contains(name)) {
      report.compare_number("std." + name, score.deviation, expected["std_population"][name].get<double>());
    }
  }
}

}  // namespace patchioner
