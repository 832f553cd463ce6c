// What the caption metrics compare, and what they give.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace patchioner {

/// One candidate and the references that it is held against: an image, a region, a set of regions.
struct Segment {
  std::string candidate;
  std::vector<std::string> references;
};

/// Scores of one metric.
struct SegmentScores {
  double corpus = 0;             ///< of all segments together
  std::vector<double> segments;  ///< [segments]
};

}  // namespace patchioner
