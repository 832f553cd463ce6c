// BLEU with one to four words, as coco-caption computes it (spec/05 section 3).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "metrics/ngrams.hpp"

namespace patchioner {

/// Counts that BLEU is made of, of one segment or summed over many.
struct BleuCounts {
  uint64_t candidate_words = 0;
  uint64_t reference_words = 0;  ///< of the reference closest in length, the shorter first
  std::array<uint64_t, kLongestNgram> guessed = {};  ///< n-grams of the candidate, n = 1 ... 4
  std::array<uint64_t, kLongestNgram> correct = {};  ///< those that a reference has as often

  void add(const BleuCounts& other);

  /// BLEU-1 to BLEU-4 of these counts: the geometric mean of the precisions, times exp(1 - r/t) where the
  /// candidate is shorter than the reference (Papineni et al. 2002), with the reference's small numbers
  /// against zeros. 0 for an empty candidate.
  std::array<double, kLongestNgram> scores() const;
};

struct BleuScores {
  BleuCounts totals;
  std::array<SegmentScores, kLongestNgram> orders;  ///< BLEU-1 ... BLEU-4
};

/// The corpus values are those of the summed counts, not means. A segment without references counts as one
/// with an empty reference.
BleuScores bleu_scores(const CountedSegments& counted);

}  // namespace patchioner
