// All caption metrics by their names: what the commands that score call (spec/05).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "metrics/cider.hpp"
#include "metrics/meteor_data.hpp"
#include "metrics/segment.hpp"

namespace patchioner {

/// How captions become words.
enum class ScoreTokenizer {
  ptb,         ///< the Penn Treebank tokenizer, as all published numbers use it
  whitespace,  ///< they are words between white space already, as a run of it left them
};

/// What METEOR reads.
enum class MeteorInput {
  words,  ///< what the tokenizer made, as for images, region sets and traces
  raw,    ///< the captions themselves, as for dense captioning
};

/// Options by the names that configs give them.
struct CaptionScoreOptions {
  ScoreTokenizer tokenizer = ScoreTokenizer::ptb;
  /// True: a line end inside a caption is a space; false: what the reference does, which moves all captions
  /// behind it (CaptionTokenizerOptions).
  bool sanitize_line_breaks = false;
  CiderForm cider = CiderForm::d;
  /// `cider.df`: a table of document frequencies (DocumentFrequencies::read); empty: those of the references.
  std::filesystem::path cider_df;
  MeteorDataOptions meteor;
  MeteorInput meteor_input = MeteorInput::words;
};

/// A caption and its references under the id that messages name.
struct ScoredCaption {
  std::string id;
  std::string candidate;
  std::vector<std::string> references;
};

/// One metric of all captions.
struct CaptionScores {
  std::string name;  ///< the metric's, or one that says what was missing, as "METEOR(no-paraphrase)"
  SegmentScores scores;
  std::string note;  ///< what whoever reads the numbers must know, a sentence; mostly empty
};

/// Candidates and references by their ids, in the order of the references. Throws Error of kind data that
/// names ids when a candidate comes twice, or when one side has ids that the other has not; `intersection`:
/// what only one side has is left out instead.
std::vector<ScoredCaption> pair_captions(
    const std::vector<std::pair<std::string, std::string>>& candidates,
    const std::vector<std::pair<std::string, std::vector<std::string>>>& references,
    bool intersection = false);

/// The metrics that score_captions knows: Bleu_1 to Bleu_4, METEOR, ROUGE_L, CIDEr.
const std::vector<std::string>& caption_metric_names();

/// Scores captions, metric by metric in the order asked for. Throws Error: usage for a metric that is not
/// known; data, naming ids, when there is nothing to score, a caption has no references, or the tokenizer
/// lost one; and as the scorers do. An empty caption is no error: it scores 0. [any-thread]
std::vector<CaptionScores> score_captions(std::span<const ScoredCaption> captions,
                                          std::span<const std::string> metrics,
                                          const CaptionScoreOptions& options = {});

/// The words that score_captions compares: each text as words between single spaces. Throws as it does.
std::vector<Segment> score_words(std::span<const ScoredCaption> captions, const CaptionScoreOptions& options);

}  // namespace patchioner
