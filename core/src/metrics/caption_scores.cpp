#include "metrics/caption_scores.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <patchioner/error.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "metrics/bleu.hpp"
#include "metrics/caption_tokenizer.hpp"
#include "metrics/meteor.hpp"
#include "metrics/rouge.hpp"
#include "metrics/white_space.hpp"
#include "support/nearest_name.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

std::vector<std::string> split_at_white_space(const std::vector<std::string>& texts) {
  std::vector<std::string> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) {
    std::string words;
    for_each_word(text, [&](std::string_view word) {
      words += words.empty() ? "" : " ";
      words += word;
    });
    result.push_back(std::move(words));
  }
  return result;
}

bool has_other_line_end(std::string_view text) {
  return text.find_first_of("\r\v\f") != std::string_view::npos ||
         text.find("\xc2\x85") != std::string_view::npos ||      // U+0085
         text.find("\xe2\x80\xa8") != std::string_view::npos ||  // U+2028
         text.find("\xe2\x80\xa9") != std::string_view::npos;    // U+2029
}

/// What the reference's tokenizer does to such captions, as a sentence, or nothing.
std::string line_end_note(std::span<const ScoredCaption> captions, const CaptionScoreOptions& options) {
  if (options.tokenizer != ScoreTokenizer::ptb || options.sanitize_line_breaks) {
    return {};
  }
  std::vector<std::string> ids;
  for (const ScoredCaption& caption : captions) {
    if (has_other_line_end(caption.candidate) ||
        std::any_of(caption.references.begin(), caption.references.end(), has_other_line_end)) {
      ids.push_back(caption.id);
    }
  }
  return ids.empty() ? std::string()
                     : fmt::format(
                           "captions of {} hold line ends other than \\n, behind which every caption "
                           "gets the words of another one, as in the reference tools; set "
                           "sanitize_line_breaks to read them as spaces",
                           some_names(std::move(ids)));
}

/// Everything that several metrics share, made when the first one needs it.
class Scorer {
 public:
  Scorer(std::span<const ScoredCaption> captions, const CaptionScoreOptions& options)
      : captions_(captions), options_(options), line_end_note_(line_end_note(captions, options)) {}

  CaptionScores score(const std::string& metric) {
    if (metric.starts_with("Bleu_")) {
      if (!bleu_) {
        bleu_ = bleu_scores(counted());
      }
      return {metric, bleu_->orders[static_cast<size_t>(metric.back() - '1')], line_end_note_};
    }
    if (metric == "ROUGE_L") {
      return {metric, rouge_l_scores(words()), line_end_note_};
    }
    if (metric == "CIDEr") {
      std::optional<DocumentFrequencies> frequencies;
      if (!options_.cider_df.empty()) {
        frequencies = DocumentFrequencies::read(options_.cider_df);
      }
      SegmentScores scores = cider_scores(counted(), options_.cider, frequencies ? &*frequencies : nullptr);
      std::string note = line_end_note_;
      if (!frequencies && captions_.size() == 1) {
        note = "CIDEr of a single item is 0 whatever its caption: document frequencies say nothing then";
      }
      const bool is_plain = options_.cider == CiderForm::plain;
      return {is_plain ? "CIDEr_plain" : metric, std::move(scores), std::move(note)};
    }
    return meteor();
  }

 private:
  CaptionScores meteor() {
    const bool is_raw = options_.meteor_input == MeteorInput::raw;
    std::vector<Segment> raw;
    if (is_raw) {
      for (const ScoredCaption& caption : captions_) {
        raw.push_back({caption.candidate, caption.references});
      }
    }
    const MeteorResult result = meteor_scores(is_raw ? raw : words(), MeteorData::open(options_.meteor));
    const bool both = !result.missing.empty() && !line_end_note_.empty() && !is_raw;
    return {result.name, result.scores(),
            result.missing + (both ? "; " : "") + (is_raw ? std::string() : line_end_note_)};
  }

  const std::vector<Segment>& words() {
    if (!words_) {
      words_ = score_words(captions_, options_);
    }
    return *words_;
  }

  CountedSegments& counted() {
    if (counted_ == nullptr) {
      counted_ = std::make_unique<CountedSegments>(words());
    }
    return *counted_;
  }

  std::span<const ScoredCaption> captions_;
  const CaptionScoreOptions& options_;
  std::string line_end_note_;
  std::optional<std::vector<Segment>> words_;
  std::unique_ptr<CountedSegments> counted_;
  std::optional<BleuScores> bleu_;
};

}  // namespace

std::vector<ScoredCaption> pair_captions(
    const std::vector<std::pair<std::string, std::string>>& candidates,
    const std::vector<std::pair<std::string, std::vector<std::string>>>& references, bool intersection) {
  std::unordered_map<std::string_view, const std::string*> by_id;
  std::vector<std::string> twice;
  for (const auto& [id, caption] : candidates) {
    if (!by_id.emplace(id, &caption).second) {
      twice.push_back(id);
    }
  }
  if (!twice.empty()) {
    throw Error(ErrorKind::data, "two candidates for {}; each id has one caption to be scored",
                some_names(std::move(twice)));
  }
  std::vector<ScoredCaption> pairs;
  std::vector<std::string> without_candidate;
  std::vector<std::string> repeated;
  std::unordered_set<std::string_view> referenced;
  for (const auto& [id, captions] : references) {
    if (!referenced.insert(id).second) {
      repeated.push_back(id);
    } else if (const auto found = by_id.find(id); found != by_id.end()) {
      pairs.push_back({id, *found->second, captions});
    } else {
      without_candidate.push_back(id);
    }
  }
  if (!repeated.empty()) {
    throw Error(ErrorKind::data, "references of {} are given twice; give all captions of an id together",
                some_names(std::move(repeated)));
  }
  std::vector<std::string> without_references;
  for (const auto& [id, caption] : candidates) {
    if (!referenced.contains(id)) {
      without_references.push_back(id);
    }
  }
  if (intersection) {
    return pairs;
  }
  constexpr const char* kAdvice = "score what both sides have with the option intersection";
  if (!without_candidate.empty()) {
    throw Error(ErrorKind::data, "no candidate for {}, which the references have; {}",
                some_names(std::move(without_candidate)), kAdvice);
  }
  if (!without_references.empty()) {
    throw Error(ErrorKind::data, "no references for {}, which the candidates have; {}",
                some_names(std::move(without_references)), kAdvice);
  }
  return pairs;
}

const std::vector<std::string>& caption_metric_names() {
  static const std::vector<std::string> names = {"Bleu_1", "Bleu_2",  "Bleu_3", "Bleu_4",
                                                 "METEOR", "ROUGE_L", "CIDEr"};
  return names;
}

std::vector<Segment> score_words(std::span<const ScoredCaption> captions,
                                 const CaptionScoreOptions& options) {
  std::vector<std::string> candidates;
  std::vector<std::string> references;
  for (const ScoredCaption& caption : captions) {
    candidates.push_back(caption.candidate);
    references.insert(references.end(), caption.references.begin(), caption.references.end());
  }
  const size_t all_references = references.size();
  if (options.tokenizer == ScoreTokenizer::ptb) {
    // Each side is one text for the tokenizer, as in the reference.
    const CaptionTokenizer tokenizer({.sanitize_line_breaks = options.sanitize_line_breaks});
    candidates = tokenizer.tokenize(candidates);
    references = tokenizer.tokenize(references);
  } else {
    candidates = split_at_white_space(candidates);
    references = split_at_white_space(references);
  }
  if (candidates.size() < captions.size() || references.size() < all_references) {
    const bool are_candidates = candidates.size() < captions.size();
    throw Error(ErrorKind::data,
                "the tokenizer made {} captions of {} {}: captions hold line ends that join others; set "
                "sanitize_line_breaks",
                are_candidates ? candidates.size() : references.size(),
                are_candidates ? captions.size() : all_references,
                are_candidates ? "candidates" : "references");
  }
  std::vector<Segment> segments;
  segments.reserve(captions.size());
  auto reference = references.begin();
  for (size_t i = 0; i < captions.size(); ++i) {
    const auto end = reference + static_cast<ptrdiff_t>(captions[i].references.size());
    segments.push_back(
        {std::move(candidates[i]), {std::make_move_iterator(reference), std::make_move_iterator(end)}});
    reference = end;
  }
  return segments;
}

std::vector<CaptionScores> score_captions(std::span<const ScoredCaption> captions,
                                          std::span<const std::string> metrics,
                                          const CaptionScoreOptions& options) {
  const std::vector<std::string>& known = caption_metric_names();
  for (const std::string& metric : metrics) {
    if (std::find(known.begin(), known.end(), metric) == known.end()) {
      throw Error(ErrorKind::usage, "there is no caption metric '{}'{}", metric, suggestion(metric, known));
    }
  }
  if (captions.empty()) {
    throw Error(ErrorKind::data, "there are no captions to score");
  }
  std::vector<std::string> without;
  for (const ScoredCaption& caption : captions) {
    if (caption.references.empty()) {
      without.push_back(caption.id);
    }
  }
  if (!without.empty()) {
    throw Error(ErrorKind::data, "no references for {}; each caption is scored against at least one",
                some_names(std::move(without)));
  }
  Scorer scorer(captions, options);
  std::vector<CaptionScores> result;
  for (const std::string& metric : metrics) {
    result.push_back(scorer.score(metric));
  }
  return result;
}

}  // namespace patchioner
