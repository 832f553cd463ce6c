// ROUGE-L as coco-caption computes it (spec/05 section 5).
#pragma once

#include <span>

#include "metrics/segment.hpp"

namespace patchioner {

/// F of the longest common subsequence's precision and recall with beta 1.2 (Lin 2004); the best precision
/// and the best recall may come from different references. Words are what stands between single spaces, so
/// that an empty text is one empty word, and two empty texts agree. The corpus value is the mean.
SegmentScores rouge_l_scores(std::span<const Segment> segments);

}  // namespace patchioner
