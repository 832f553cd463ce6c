// Mean average precision of dense captioning when images count once, several times or not at all: what a test
// set scores that was drawn from another one, as the bootstrap draws them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/dense.hpp"

namespace patchioner {

/// What mAP needs to know of a detection.
struct RatedDetection {
  size_t image = 0;  ///< index
  double score = 0;
  double overlap = 0;     ///< with the box that it overlaps most
  double meteor = 0;      ///< against the captions of that box
  bool is_first = false;  ///< no better detection has used the box up
};

/// The detections of a test set, the best first.
class DetectionRanking {
 public:
  /// As many test sets are scored together, since processors compute with several numbers at once.
  static constexpr size_t kAtOnce = 8;
  /// How often an image counts in each of them.
  using ImageCounts = std::array<int32_t, kAtOnce>;

  /// `boxes`: of each image, how many were to be found. Detections of equal scores keep their order.
  DetectionRanking(std::span<const RatedDetection> detections, std::vector<int32_t> boxes,
                   DenseVariant variant);

  /// Every image counts once.
  DenseScores scores() const;

  /// `counts`: of each image. Copies of a detection follow one another in rank, and their boxes are boxes of
  /// their own. A test set of more than 2^31 detections is too large. [any-thread]
  std::array<DenseScores, kAtOnce> scores(std::span<const ImageCounts> counts) const;

 private:
  static constexpr size_t kOverlaps = kDenseOverlaps.size();
  static constexpr size_t kTexts = kDenseMeteors.size() + 1;  ///< any text at all, and above each METEOR
  static constexpr size_t kRatings = (kOverlaps + 1) * (kTexts + 1);

  struct Ranked {
    uint32_t image = 0;
    uint32_t rating = 0;  ///< how many overlaps and texts it is good enough for
  };

  void name_curves();
  template <class Number>
  std::array<DenseScores, kAtOnce> scores_in(std::span<const ImageCounts> counts) const;

  std::vector<Ranked> ranked_;
  std::vector<int32_t> boxes_;
  DenseVariant variant_;
  /// For which overlap and text which curve of precision over recall stands: pairs for which the same
  /// detections are right share one. Where every box was given, all overlaps do.
  std::array<std::array<size_t, kTexts>, kOverlaps> curve_of_ = {};
  size_t curves_ = 0;
  std::array<std::vector<uint32_t>, kRatings> right_in_;  ///< the curves in which a rating is right
};

}  // namespace patchioner
