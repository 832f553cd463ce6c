// Mean average precision of dense captioning: boxes and captions together (spec/05 section 9; Johnson et al.
// 2016).
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "metrics/meteor.hpp"

namespace patchioner {

/// x1, y1, x2, y2 in pixels.
using DenseBox = std::array<double, 4>;

struct DenseImage {
  std::string id;
  std::vector<DenseBox> boxes;  ///< detections
  std::vector<double> scores;   ///< of them
  std::vector<std::string> texts;
  std::vector<DenseBox> true_boxes;
  std::vector<std::string> true_texts;
};

enum class DenseVariant {
  python,  ///< the evaluator that the paper's evaluation uses
  lua,     ///< DenseCap's own: pixels count as wide, and a detection without overlap uses up the last box
};

struct DenseOptions {
  DenseVariant variant = DenseVariant::python;
  /// The reference skips images without detections, so that their boxes are not missed. True: they are.
  bool count_empty_images = false;
};

/// The boxes of an image, those that overlap by 0.7 or more being one.
struct DenseTruth {
  std::vector<std::vector<size_t>> groups;  ///< boxes that became one, in the order in which they did
  std::vector<DenseBox> boxes;              ///< the mean of each group
};

/// A detection, held against the box that it overlaps most.
struct DenseRecord {
  size_t image = 0;       ///< index
  size_t detection = 0;   ///< index in the image
  bool is_first = false;  ///< no better detection has used the box up
  double overlap = 0;     ///< intersection over union
  double score = 0;
  std::string candidate;
  std::vector<std::string> references;  ///< captions of the box; none without overlap
};

struct DenseMatches {
  std::vector<DenseTruth> truths;    ///< of each image; without boxes where the image is skipped
  std::vector<DenseRecord> records;  ///< by image, in decreasing score
  size_t boxes = 0;                  ///< that were to be found
  size_t skipped = 0;                ///< images without detections that do not count
};

inline constexpr std::array<double, 5> kDenseOverlaps = {0.3, 0.4, 0.5, 0.6, 0.7};
inline constexpr std::array<double, 6> kDenseMeteors = {0, 0.05, 0.1, 0.15, 0.2, 0.25};

/// 0 to 1.
struct DenseScores {
  double map = 0;  ///< the mean of `precisions`
  std::array<std::array<double, kDenseMeteors.size()>, kDenseOverlaps.size()> precisions = {};
  double detection_map = 0;  ///< of boxes alone: the mean of `detections`
  std::array<double, kDenseOverlaps.size()> detections = {};
};

/// Intersection over union; not a number for two boxes without area.
double overlap_of(const DenseBox& a, const DenseBox& b, DenseVariant variant);

/// Throws Error of kind data, naming the image, when boxes, scores and texts are not equally many.
DenseMatches match_detections(std::span<const DenseImage> images, const DenseOptions& options);

/// `meteors`: METEOR of each record's candidate against its references, as `meteor_scores` gives it for
/// segments_of(matches).
DenseScores dense_scores(const DenseMatches& matches, std::span<const double> meteors,
                         const DenseOptions& options);

/// What METEOR is to score: raw texts.
std::vector<Segment> segments_of(const DenseMatches& matches);

}  // namespace patchioner
