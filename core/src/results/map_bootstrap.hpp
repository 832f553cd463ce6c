// How far mAP of a test set can be trusted. It is of all detections together, which their scores put in order
// across images, and no mean of theirs. So images are drawn instead of items, each with all of its detections
// and boxes, and mAP of what was drawn is computed anew (the bootstrap over images).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "metrics/detection_ranking.hpp"
#include "results/paired_bootstrap.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// Whether a metric is mAP: "map", in any form ("map(no-paraphrase)"), or "detmap", that of boxes alone.
bool is_map(const std::string& metric);

/// What mAP needs of a run's items.
struct DetectionLines {
  std::vector<RatedDetection> detections;  ///< `image` is its number in the data set
  std::map<size_t, int32_t> boxes;         ///< to be found in an image, by its number
  bool are_whole = true;  ///< false: an item does not say all of this, as those of older versions do not

  /// In the order of items.jsonl, which decides between equal scores. Throws an Error of kind data for a
  /// place that is none.
  void add(const ScoredItem& item);
};

/// mAP of a run and of its resamples. The same for the same lines and seed, by however many threads; runs of
/// as many images are judged by the same draws.
class MapBootstrap {
 public:
  /// `lines` are whole. Takes about 3 s of a processor for 5,000 images, 240,000 detections and 2,000
  /// resamples.
  MapBootstrap(DetectionLines lines, DenseVariant variant, int64_t resamples, uint64_t seed);

  /// Of the lines. `metric` of this and of what follows is one that is_map.
  double value(const std::string& metric) const { return all_.of(metric).value; }

  /// 95 %; the value itself where there are fewer than two images or no resamples.
  Interval interval(const std::string& metric) const;

  /// This run against another one on the images that both have: the difference of their mAPs there, and of
  /// those of the same resamples. Wins, losses and ties are none. nullopt when they have no image in common.
  /// `baseline` has the same resamples and seed.
  std::optional<PairedDifference> against(const MapBootstrap& baseline, const std::string& metric) const;

 private:
  struct Resampled {
    double value = 0;               ///< of the images as they are
    std::vector<double> resampled;  ///< in the order of the resamples; none of fewer than two images
  };
  struct Maps {
    Resampled map;
    Resampled detection_map;
    const Resampled& of(const std::string& metric) const;
  };

  /// Of some of the images, ascending.
  Maps maps_of(const std::vector<size_t>& images) const;

  std::vector<size_t> images_;  // numbers in the data set, ascending
  std::optional<DetectionRanking> ranking_;
  int64_t resamples_;
  uint64_t seed_;
  Maps all_;
};

/// Of one run.
struct RunMaps {
  std::optional<MapBootstrap> bootstrap;
  std::set<std::string> metrics;  ///< of which it is: "map(no-paraphrase)"
  std::string missing;            ///< why there is none, a clause; empty when there is one
};

/// From the lines of a finished run's items. There is none when lines are not whole, when boxes count as
/// missed in images that have no line (count_empty_images), and when the lines come to another mAP than the
/// run has.
RunMaps run_maps(const RunScores& run, DetectionLines lines, int64_t resamples, uint64_t seed);

}  // namespace patchioner
