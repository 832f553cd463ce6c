#include "metrics/meteor.hpp"

#include <algorithm>
#include <cmath>

namespace patchioner {
namespace {

// Parameters of METEOR 1.5, English, task "rank".
constexpr double kAlpha = 0.85;  // recall against precision
constexpr double kBeta = 0.20;   // shape of the penalty
constexpr double kGamma = 0.60;  // size of the penalty
constexpr double kDelta = 0.75;  // content words against function words
constexpr std::array<double, kMeteorModules> kModuleWeights = {1.0, 0.6, 0.8, 0.6};

double weighted_length(const MeteorStatistics::Side& side) {
  return kDelta * (side.words - side.function_words) + (1 - kDelta) * side.function_words;
}

/// All content terms first: the order matters for the last bit.
double weighted_matches(const MeteorStatistics::Side& side) {
  double sum = 0;
  for (size_t i = 0; i < kMeteorModules; ++i) {
    sum += side.matched[i].content * kModuleWeights[i] * kDelta;
  }
  for (size_t i = 0; i < kMeteorModules; ++i) {
    sum += side.matched[i].function * kModuleWeights[i] * (1 - kDelta);
  }
  return sum;
}

void count_matched(MeteorStatistics::Side& side, std::span<const uint32_t> words, const MeteorWords& all,
                   MeteorModule module) {
  MeteorStatistics::Matched& matched = side.matched[static_cast<size_t>(module)];
  for (const uint32_t word : words) {
    (all.is_function_word(word) ? matched.function : matched.content) += 1;
  }
  side.matched_words += static_cast<double>(words.size());
}

MeteorStatistics::Side side_of(std::span<const uint32_t> words, const MeteorWords& all) {
  MeteorStatistics::Side side;
  side.words = static_cast<double>(words.size());
  side.function_words = static_cast<double>(
      std::count_if(words.begin(), words.end(), [&](uint32_t word) { return all.is_function_word(word); }));
  return side;
}

MeteorStatistics statistics_of(std::span<const uint32_t> hypothesis, std::span<const uint32_t> reference,
                               const MeteorAlignment& alignment, const MeteorWords& words) {
  MeteorStatistics result;
  result.hypothesis = side_of(hypothesis, words);
  result.reference = side_of(reference, words);
  result.chunks = alignment.chunks;
  for (const MeteorMatch& match : alignment.matches) {
    count_matched(result.hypothesis, hypothesis.subspan(match.hypothesis_start, match.hypothesis_length),
                  words, match.module);
    count_matched(result.reference, reference.subspan(match.start, match.length), words, match.module);
  }
  return result;
}

/// What the reference's wrapper does to a hypothesis, in one pass each.
std::string cleaned_candidate(std::string text) {
  constexpr std::string_view kFieldSeparator = "|||";
  for (size_t at = text.find(kFieldSeparator); at != std::string::npos; at = text.find(kFieldSeparator, at)) {
    text.erase(at, kFieldSeparator.size());
  }
  for (size_t at = text.find("  "); at != std::string::npos; at = text.find("  ", at)) {
    text.erase(at++, 1);
  }
  return text;
}

}  // namespace

std::array<double, MeteorStatistics::kCount> MeteorStatistics::values() const {
  std::array<double, kCount> result = {hypothesis.words, reference.words, hypothesis.function_words,
                                       reference.function_words};
  size_t at = 4;
  for (size_t i = 0; i < kMeteorModules; ++i) {
    result[at++] = hypothesis.matched[i].content;
    result[at++] = reference.matched[i].content;
    result[at++] = hypothesis.matched[i].function;
    result[at++] = reference.matched[i].function;
  }
  result[at++] = chunks;
  result[at++] = hypothesis.matched_words;
  result[at++] = reference.matched_words;
  return result;
}

bool MeteorStatistics::is_perfect() const {
  return hypothesis.matched_words == hypothesis.words && reference.matched_words == reference.words &&
         chunks == 1;
}

void MeteorStatistics::add(const MeteorStatistics& segment) {
  const auto add_side = [](Side& sum, const Side& side) {
    sum.words += side.words;
    sum.function_words += side.function_words;
    for (size_t i = 0; i < kMeteorModules; ++i) {
      sum.matched[i].content += side.matched[i].content;
      sum.matched[i].function += side.matched[i].function;
    }
    sum.matched_words += side.matched_words;
  };
  add_side(hypothesis, segment.hypothesis);
  add_side(reference, segment.reference);
  chunks += segment.is_perfect() ? 0 : segment.chunks;
}

MeteorScore meteor_score(const MeteorStatistics& statistics) {
  MeteorScore result;
  result.precision = weighted_matches(statistics.hypothesis) / weighted_length(statistics.hypothesis);
  result.recall = weighted_matches(statistics.reference) / weighted_length(statistics.reference);
  const double mean = 1 / ((1 - kAlpha) / result.precision + kAlpha / result.recall);
  const double matched = (statistics.hypothesis.matched_words + statistics.reference.matched_words) / 2;
  const double fragmentation = statistics.is_perfect() ? 0 : statistics.chunks / matched;
  result.penalty = kGamma * std::pow(fragmentation, kBeta);
  const double score = mean * (1 - result.penalty);
  result.score = score > 0 ? score : 0;  // also where it is not a number
  return result;
}

SegmentScores MeteorResult::scores() const {
  SegmentScores scores;
  scores.corpus = corpus.score;
  scores.segments.reserve(items.size());
  for (const Item& item : items) {
    scores.segments.push_back(item.score.score);
  }
  return scores;
}

MeteorResult meteor_scores(std::span<const Segment> segments, const MeteorData& data) {
  struct Texts {
    MeteorWords::Text hypothesis;
    std::vector<MeteorWords::Text> references;
  };
  MeteorWords words(data);
  std::vector<Texts> texts(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    texts[i].hypothesis = words.read(cleaned_candidate(segments[i].candidate));
    for (const std::string& reference : segments[i].references) {
      texts[i].references.push_back(words.read(reference));
    }
    if (segments[i].references.empty()) {
      texts[i].references.emplace_back();
    }
  }
  const ParaphraseTable paraphrases =
      data.paraphrases().empty() ? ParaphraseTable() : ParaphraseTable::read(data.paraphrases(), words);

  MeteorResult result{.name = data.metric_name(), .missing = data.missing(), .items = {}, .corpus = {}};
  result.items.reserve(segments.size());
  MeteorAligner aligner(words, paraphrases);
  MeteorStatistics sum;
  for (const Texts& text : texts) {
    std::optional<MeteorResult::Item> best;
    for (const MeteorWords::Text& reference : text.references) {
      MeteorAlignment alignment = aligner.align(text.hypothesis, reference);
      const MeteorStatistics statistics = statistics_of(text.hypothesis, reference, alignment, words);
      const MeteorScore score = meteor_score(statistics);
      if (!best || score.score > best->score.score) {
        best = {statistics, score, std::move(alignment)};
      }
    }
    sum.add(best->statistics);
    result.items.push_back(std::move(*best));
  }
  result.corpus = meteor_score(sum);
  return result;
}

}  // namespace patchioner
