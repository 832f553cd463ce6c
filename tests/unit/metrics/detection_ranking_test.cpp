// mAP of images that count several times: against the evaluators' own steps on detections that are really
// there several times.
#include "metrics/detection_ranking.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace patchioner {
namespace {

/// The evaluators' average precision, step by step as they write it, of detections from the best to the
/// worst.
template <class Number>
double average_precision(const std::vector<bool>& is_right, size_t boxes) {
  std::vector<Number> recalls;
  std::vector<Number> precisions;
  size_t right = 0;
  for (size_t k = 0; k < is_right.size(); ++k) {
    right += is_right[k] ? 1 : 0;
    recalls.push_back(static_cast<Number>(right) / static_cast<Number>(boxes));
    precisions.push_back(static_cast<Number>(right) / static_cast<Number>(k + 1));
  }
  double sum = 0;
  double accumulated = 0;
  for (int step = 0; step < 100; ++step) {
    const bool is_python = std::is_same_v<Number, float>;
    const auto recall = static_cast<Number>(is_python ? 0.01 * step : accumulated);
    accumulated += 0.01;
    Number best = 0;
    for (size_t k = 0; k < recalls.size(); ++k) {
      best = recalls[k] >= recall ? std::max(best, precisions[k]) : best;
    }
    sum += static_cast<double>(best);
  }
  return sum / 100;
}

struct MadeSet {
  std::vector<RatedDetection> detections;
  std::vector<int32_t> boxes;
};

/// Detections of `images` images; scores, overlaps and METEORs of few values, thresholds among them.
MadeSet made_set(size_t images, uint64_t seed, bool are_boxes_given = false) {
  std::mt19937_64 random(seed);
  MadeSet made;
  for (size_t image = 0; image < images; ++image) {
    const auto boxes = static_cast<int32_t>(random() % 5);
    made.boxes.push_back(boxes);
    int32_t used = 0;
    for (size_t i = random() % 9; i > 0; --i) {
      RatedDetection detection{.image = image,
                               .score = static_cast<double>(random() % 40),
                               .overlap = 0.1 * static_cast<double>(random() % 11),
                               .meteor = 0.05 * static_cast<double>(random() % 8),
                               .is_first = used < boxes && random() % 3 > 0};
      detection.overlap = are_boxes_given ? 1 : detection.overlap;
      used += detection.is_first ? 1 : 0;
      made.detections.push_back(detection);
    }
  }
  return made;
}

/// Every detection as often as its image counts, in the order of scores, copies behind one another.
DenseScores scores_of_copies(const MadeSet& made, const std::vector<int32_t>& counts, DenseVariant variant) {
  std::vector<RatedDetection> ranked = made.detections;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const RatedDetection& a, const RatedDetection& b) { return a.score > b.score; });
  size_t boxes = 0;
  for (size_t image = 0; image < counts.size(); ++image) {
    boxes += static_cast<size_t>(counts[image] * made.boxes[image]);
  }
  const auto precision_at = [&](double overlap, double meteor) {
    std::vector<bool> is_right;
    for (const RatedDetection& detection : ranked) {
      for (int32_t copy = 0; copy < counts[detection.image]; ++copy) {
        is_right.push_back(detection.is_first && detection.overlap >= overlap && detection.meteor > meteor);
      }
    }
    return variant == DenseVariant::lua ? average_precision<double>(is_right, boxes)
                                        : average_precision<float>(is_right, boxes);
  };
  DenseScores scores;
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    for (size_t j = 0; j < kDenseMeteors.size(); ++j) {
      scores.precisions[i][j] = precision_at(kDenseOverlaps[i], kDenseMeteors[j]);
      scores.map += scores.precisions[i][j] / 30;
    }
    scores.detections[i] = precision_at(kDenseOverlaps[i], -1);
    scores.detection_map += scores.detections[i] / 5;
  }
  return scores;
}

void check_same(const DenseScores& found, const DenseScores& expected) {
  CHECK(found.precisions == expected.precisions);
  CHECK(found.detections == expected.detections);
  CHECK(found.map == doctest::Approx(expected.map).epsilon(1e-14));
  CHECK(found.detection_map == doctest::Approx(expected.detection_map).epsilon(1e-14));
}

TEST_CASE("where every image counts once, precisions are those of the evaluators to the last bit") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const MadeSet made = made_set(1 + seed * 2, seed, seed % 4 == 3);
    const std::vector<int32_t> once(made.boxes.size(), 1);
    for (const DenseVariant variant : {DenseVariant::python, DenseVariant::lua}) {
      check_same(DetectionRanking(made.detections, made.boxes, variant).scores(),
                 scores_of_copies(made, once, variant));
    }
  }
}

TEST_CASE("images that count several times are as if they and their boxes were there several times") {
  for (uint64_t seed = 100; seed < 140; ++seed) {
    CAPTURE(seed);
    const MadeSet made = made_set(1 + seed % 25, seed, seed % 4 == 3);
    std::mt19937_64 random(seed);
    std::vector<DetectionRanking::ImageCounts> counts(made.boxes.size());
    for (DetectionRanking::ImageCounts& count : counts) {
      std::generate(count.begin(), count.end(), [&] { return static_cast<int32_t>(random() % 4); });
      count[2] = 0;  // a test set of no image at all
    }
    for (const DenseVariant variant : {DenseVariant::python, DenseVariant::lua}) {
      const auto found = DetectionRanking(made.detections, made.boxes, variant).scores(counts);
      for (size_t set = 0; set < DetectionRanking::kAtOnce; ++set) {
        CAPTURE(set);
        std::vector<int32_t> of_set;
        for (const DetectionRanking::ImageCounts& count : counts) {
          of_set.push_back(count[set]);
        }
        check_same(found[set], scores_of_copies(made, of_set, variant));
      }
      CHECK(found[2].map == 0);
    }
  }
}

TEST_CASE("two images typed out: the one of a right detection twice") {
  // Right at rank 1, wrong at rank 2; boxes: one in each image.
  const std::vector<RatedDetection> detections = {
      {.image = 1, .score = 0.5, .overlap = 0, .meteor = 0, .is_first = false},
      {.image = 0, .score = 0.9, .overlap = 1, .meteor = 1, .is_first = true}};
  const DetectionRanking ranking(detections, {1, 1}, DenseVariant::python);
  CHECK(ranking.scores().map == doctest::Approx(0.51));  // recalls up to 0.50 of 0.5
  std::vector<DetectionRanking::ImageCounts> counts(2);
  counts[0] = {2, 1, 0, 1};
  counts[1] = {0, 2, 2, 1};
  const auto scores = ranking.scores(counts);
  CHECK(scores[0].map == doctest::Approx(1));
  CHECK(scores[1].map == doctest::Approx(0.34));  // of three boxes one: recalls up to 0.33
  CHECK(scores[2].map == 0);
  CHECK(scores[3].map == ranking.scores().map);
}

TEST_CASE("many boxes: a recall is reached where the quotient of the evaluators reaches it") {
  // All right and all equal: recall k/n at rank k, so that every threshold is met by the first k that
  // suffices.
  for (const int32_t boxes : {100, 300, 700, 4100, 100'000}) {
    CAPTURE(boxes);
    std::vector<RatedDetection> detections;
    for (int32_t i = 0; i < boxes * 3 / 4; ++i) {
      detections.push_back({.image = 0, .score = 1, .overlap = 1, .meteor = 1, .is_first = true});
      detections.push_back({.image = 0, .score = 1, .overlap = 0, .meteor = 0, .is_first = false});
    }
    // The naive evaluator takes long: one overlap and one text stand for all.
    std::vector<bool> is_right;
    for (const RatedDetection& detection : detections) {
      is_right.push_back(detection.is_first);
    }
    const auto count = static_cast<size_t>(boxes);
    CHECK(DetectionRanking(detections, {boxes}, DenseVariant::python).scores().precisions[2][3] ==
          average_precision<float>(is_right, count));
    CHECK(DetectionRanking(detections, {boxes}, DenseVariant::lua).scores().precisions[2][3] ==
          average_precision<double>(is_right, count));
  }
}

}  // namespace
}  // namespace patchioner
