// METEOR 1.5 for English, task "rank" (spec/05 section 4).
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "metrics/meteor_aligner.hpp"
#include "metrics/meteor_data.hpp"
#include "metrics/segment.hpp"

namespace patchioner {

/// The counts that a score is made of, of one segment or summed over many.
struct MeteorStatistics {
  static constexpr size_t kCount = 23;

  struct Matched {
    double content = 0;
    double function = 0;
  };
  struct Side {
    double words = 0;
    double function_words = 0;
    std::array<Matched, kMeteorModules> matched = {};  ///< words that matches cover, by module
    double matched_words = 0;
  };
  Side hypothesis, reference;
  double chunks = 0;

  /// In the order in which METEOR prints them.
  std::array<double, kCount> values() const;
  /// Every word of both sides is matched, in one piece.
  bool is_perfect() const;
  /// Adds a segment; the chunk of a perfect one does not count.
  void add(const MeteorStatistics& segment);
};

/// What the counts give (Denkowski and Lavie 2014, with the parameters of task "rank"). Not a number where
/// METEOR divides by zero; the score is then 0.
struct MeteorScore {
  double precision = 0;
  double recall = 0;
  double penalty = 0;  ///< for fragmentation
  double score = 0;
};
MeteorScore meteor_score(const MeteorStatistics& statistics);

struct MeteorResult {
  struct Item {
    MeteorStatistics statistics;  ///< of the reference with the best score, of equal ones the first
    MeteorScore score;
    MeteorAlignment alignment;
  };
  std::string name;     ///< what the scores are called (MeteorData::metric_name)
  std::string missing;  ///< MeteorData::missing
  std::vector<Item> items;
  MeteorScore corpus;  ///< of the summed statistics, not a mean

  SegmentScores scores() const;
};

/// Scores segments. Candidates are cleaned as the reference's wrapper does: "|||" is left out, two spaces
/// become one; line ends are spaces on both sides. A segment without references has one empty reference.
/// Reads the paraphrases once more each time it is called. Throws as ParaphraseTable::read. [any-thread]
MeteorResult meteor_scores(std::span<const Segment> segments, const MeteorData& data);

}  // namespace patchioner
