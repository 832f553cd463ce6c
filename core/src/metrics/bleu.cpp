#include "metrics/bleu.hpp"

#include <algorithm>
#include <cmath>

namespace patchioner {
namespace {

// What coco-caption adds so that nothing is divided by zero.
constexpr double kTiny = 1e-15;
constexpr double kSmall = 1e-9;

/// The length closest to `words`, and of two the shorter.
size_t closest_length(const std::vector<Ngrams>& references, size_t words) {
  const auto distance = [&](size_t length) { return length > words ? length - words : words - length; };
  size_t best = references.empty() ? 0 : references.front().words();
  for (const Ngrams& reference : references) {
    const size_t length = reference.words();
    if (std::pair(distance(length), length) < std::pair(distance(best), best)) {
      best = length;
    }
  }
  return best;
}

BleuCounts counts_of(const CountedSegments::Counted& segment) {
  BleuCounts counts;
  counts.candidate_words = segment.candidate.words();
  counts.reference_words = closest_length(segment.references, segment.candidate.words());
  for (size_t n = 1; n <= kLongestNgram; ++n) {
    const auto candidate = segment.candidate.of_order(n);
    counts.guessed[n - 1] = candidate.size();
    for_each_count(candidate, [&](uint32_t ngram, size_t count) {
      size_t most = 0;
      for (const Ngrams& reference : segment.references) {
        const auto ngrams = reference.of_order(n);
        const auto [first, last] = std::equal_range(ngrams.begin(), ngrams.end(), ngram);
        most = std::max(most, static_cast<size_t>(last - first));
      }
      counts.correct[n - 1] += std::min(count, most);
    });
  }
  return counts;
}

}  // namespace

void BleuCounts::add(const BleuCounts& other) {
  candidate_words += other.candidate_words;
  reference_words += other.reference_words;
  for (size_t n = 0; n < kLongestNgram; ++n) {
    guessed[n] += other.guessed[n];
    correct[n] += other.correct[n];
  }
}

std::array<double, kLongestNgram> BleuCounts::scores() const {
  std::array<double, kLongestNgram> result = {};
  const double ratio =
      (static_cast<double>(candidate_words) + kTiny) / (static_cast<double>(reference_words) + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  double product = 1;
  for (size_t n = 0; n < kLongestNgram; ++n) {
    product *= (static_cast<double>(correct[n]) + kTiny) / (static_cast<double>(guessed[n]) + kSmall);
    result[n] = std::pow(product, 1.0 / static_cast<double>(n + 1)) * brevity;
  }
  return result;
}

BleuScores bleu_scores(const CountedSegments& counted) {
  BleuScores result;
  for (SegmentScores& order : result.orders) {
    order.segments.reserve(counted.segments.size());
  }
  for (const CountedSegments::Counted& segment : counted.segments) {
    const BleuCounts counts = counts_of(segment);
    result.totals.add(counts);
    const auto scores = counts.scores();
    for (size_t n = 0; n < kLongestNgram; ++n) {
      result.orders[n].segments.push_back(scores[n]);
    }
  }
  const auto corpus = result.totals.scores();
  for (size_t n = 0; n < kLongestNgram; ++n) {
    result.orders[n].corpus = corpus[n];
  }
  return result;
}

}  // namespace patchioner
