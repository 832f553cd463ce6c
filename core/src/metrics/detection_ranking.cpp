#include "metrics/detection_ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace patchioner {
namespace {

constexpr size_t kRecallSteps = 100;
constexpr double kRecallStep = 0.01;
constexpr size_t kSets = DetectionRanking::kAtOnce;

/// One of each test set. Plain loops over them become instructions on several numbers.
template <class Value>
using OfSets = std::array<Value, kSets>;

template <class Value>
using OfSteps = std::array<Value, kRecallSteps>;

/// How many detections must be right for each recall from 0 to 0.99; numbers as the evaluators compute with
/// them, the one in single precision, the other in double, where it adds up the steps. Recall 0 has the
/// precision of the first that is right: before it there is none.
template <class Number>
OfSteps<int32_t> needed_for_recall(int64_t boxes) {
  OfSteps<int32_t> needed;
  double accumulated = 0;
  for (size_t step = 0; step < kRecallSteps; ++step) {
    constexpr bool kIsAccumulated = std::is_same_v<Number, double>;
    const auto recall =
        static_cast<Number>(kIsAccumulated ? accumulated : kRecallStep * static_cast<double>(step));
    accumulated += kRecallStep;
    const auto suffices = [&](int32_t right) {
      return static_cast<Number>(right) / static_cast<Number>(boxes) >= recall;
    };
    // Begins where it certainly does not suffice: quotients in single precision are off by less than 1e-7.
    constexpr double kBelow = 1 - 1e-6;
    const double exact = static_cast<double>(recall) * static_cast<double>(boxes);
    auto right = std::max(1, static_cast<int32_t>(exact * kBelow) - 1);
    while (!suffices(right)) {
      ++right;
    }
    needed[step] = right;
  }
  return needed;
}

/// Precision over recall for one overlap and text, of all test sets. Of the copies of a detection the last
/// stands for all: of a right one it has the largest precision and recall, and one that is wrong has less
/// precision at the same recall than the right one before it. So only right ones are looked at.
template <class Number>
class Curve {
 public:
  void begin(const OfSets<OfSteps<int32_t>>& needed) {
    for (size_t set = 0; set < kSets; ++set) {
      next_[set] = needed[set][0];
    }
  }

  /// A detection that is right: how often it counts, and how many do up to it.
  void add(const DetectionRanking::ImageCounts& counts, const OfSets<Number>& rank,
           const OfSets<OfSteps<int32_t>>& needed) {
    int32_t any_reached = 0;
    for (size_t set = 0; set < kSets; ++set) {
      right_[set] += counts[set];
      any_reached |= right_[set] >= next_[set] ? 1 : 0;
    }
    if (any_reached != 0) {
      step_on(needed);
    }
    for (size_t set = 0; set < kSets; ++set) {
      // One that does not count leaves the recall as it is and has no more precision than the one before it;
      // before all others it is 0/0, which is not greater than anything.
      const Number precision = static_cast<Number>(right_[set]) / rank[set];
      best_[set] = precision > best_[set] ? precision : best_[set];
    }
  }

  /// The mean over recalls of the best precision from there on.
  double average_precision(size_t set) {
    keep(set);
    OfSteps<Number>& best = best_from_[set];
    for (size_t step = kRecallSteps; step-- > 1;) {
      best[step - 1] = std::max(best[step - 1], best[step]);
    }
    double sum = 0;
    for (const Number precision : best) {
      sum += static_cast<double>(precision);
    }
    return sum / static_cast<double>(kRecallSteps);
  }

 private:
  void keep(size_t set) {
    if (reached_[set] > 0) {
      best_from_[set][reached_[set] - 1] = best_[set];
    }
    best_[set] = 0;
  }

  void step_on(const OfSets<OfSteps<int32_t>>& needed) {
    for (size_t set = 0; set < kSets; ++set) {
      if (right_[set] < next_[set]) {
        continue;
      }
      keep(set);
      size_t& reached = reached_[set];
      while (reached < kRecallSteps && right_[set] >= needed[set][reached]) {
        ++reached;
      }
      next_[set] = reached < kRecallSteps ? needed[set][reached] : std::numeric_limits<int32_t>::max();
    }
  }

  OfSets<int32_t> right_ = {};  // so far
  OfSets<int32_t> next_ = {};   // as many right ones reach the next recall
  OfSets<Number> best_ = {};    // precision since the last recall was reached
  OfSets<size_t> reached_ = {};
  OfSets<OfSteps<Number>> best_from_ = {};  // each recall to the next
};

}  // namespace

DetectionRanking::DetectionRanking(std::span<const RatedDetection> detections, std::vector<int32_t> boxes,
                                   DenseVariant variant)
    : boxes_(std::move(boxes)), variant_(variant) {
  std::vector<size_t> order(detections.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return detections[a].score > detections[b].score; });
  ranked_.reserve(order.size());
  for (const size_t place : order) {
    const RatedDetection& detection = detections[place];
    size_t overlaps = 0;
    size_t texts = 0;
    if (detection.is_first) {
      overlaps =
          static_cast<size_t>(std::count_if(kDenseOverlaps.begin(), kDenseOverlaps.end(),
                                            [&](double overlap) { return detection.overlap >= overlap; }));
      texts =
          1 + static_cast<size_t>(std::count_if(kDenseMeteors.begin(), kDenseMeteors.end(),
                                                [&](double meteor) { return detection.meteor > meteor; }));
    }
    ranked_.push_back(
        {static_cast<uint32_t>(detection.image), static_cast<uint32_t>(overlaps * (kTexts + 1) + texts)});
  }
  name_curves();
}

void DetectionRanking::name_curves() {
  std::array<bool, kRatings> occurs = {};
  for (const Ranked& detection : ranked_) {
    occurs[detection.rating] = true;
  }
  const auto any = [&](size_t first_overlap, size_t last_overlap, size_t first_text, size_t last_text) {
    for (size_t overlap = first_overlap; overlap <= last_overlap; ++overlap) {
      for (size_t text = first_text; text <= last_text; ++text) {
        if (occurs[overlap * (kTexts + 1) + text]) {
          return true;
        }
      }
    }
    return false;
  };
  for (size_t i = 0; i < kOverlaps; ++i) {
    for (size_t j = 0; j < kTexts; ++j) {
      // A rating (o, t) is right for the first o overlaps and the first t texts.
      if (i > 0 && !any(i, i, j + 1, kTexts)) {
        curve_of_[i][j] = curve_of_[i - 1][j];
      } else if (j > 0 && !any(i + 1, kOverlaps, j, j)) {
        curve_of_[i][j] = curve_of_[i][j - 1];
      } else {
        curve_of_[i][j] = curves_++;
      }
    }
  }
  for (size_t overlaps = 0; overlaps <= kOverlaps; ++overlaps) {
    for (size_t texts = 0; texts <= kTexts; ++texts) {
      std::vector<uint32_t>& curves = right_in_[overlaps * (kTexts + 1) + texts];
      for (size_t i = 0; i < overlaps; ++i) {
        for (size_t j = 0; j < texts; ++j) {
          curves.push_back(static_cast<uint32_t>(curve_of_[i][j]));
        }
      }
      std::sort(curves.begin(), curves.end());
      curves.erase(std::unique(curves.begin(), curves.end()), curves.end());
    }
  }
}

DenseScores DetectionRanking::scores() const {
  ImageCounts once = {};
  once[0] = 1;
  return scores(std::vector<ImageCounts>(boxes_.size(), once))[0];
}

std::array<DenseScores, DetectionRanking::kAtOnce> DetectionRanking::scores(
    std::span<const ImageCounts> counts) const {
  return variant_ == DenseVariant::lua ? scores_in<double>(counts) : scores_in<float>(counts);
}

template <class Number>
std::array<DenseScores, DetectionRanking::kAtOnce> DetectionRanking::scores_in(
    std::span<const ImageCounts> counts) const {
  OfSets<int64_t> boxes = {};
  for (size_t image = 0; image < boxes_.size(); ++image) {
    for (size_t set = 0; set < kSets; ++set) {
      boxes[set] += int64_t{counts[image][set]} * boxes_[image];
    }
  }
  OfSets<OfSteps<int32_t>> needed;
  std::transform(boxes.begin(), boxes.end(), needed.begin(), needed_for_recall<Number>);
  std::vector<Curve<Number>> curves(curves_);
  for (Curve<Number>& curve : curves) {
    curve.begin(needed);
  }
  OfSets<int32_t> rank = {};
  for (const Ranked& detection : ranked_) {
    const ImageCounts& count = counts[detection.image];
    OfSets<Number> rank_number;
    for (size_t set = 0; set < kSets; ++set) {
      rank[set] += count[set];
      rank_number[set] = static_cast<Number>(rank[set]);
    }
    for (const uint32_t curve : right_in_[detection.rating]) {
      curves[curve].add(count, rank_number, needed);
    }
  }
  std::array<DenseScores, kAtOnce> result;
  for (size_t set = 0; set < kSets; ++set) {
    std::vector<double> precisions;
    for (Curve<Number>& curve : curves) {
      precisions.push_back(curve.average_precision(set));
    }
    DenseScores& scores = result[set];
    for (size_t i = 0; i < kOverlaps; ++i) {
      scores.detections[i] = precisions[curve_of_[i][0]];
      scores.detection_map += scores.detections[i];
      for (size_t j = 0; j < kDenseMeteors.size(); ++j) {
        scores.precisions[i][j] = precisions[curve_of_[i][j + 1]];
        scores.map += scores.precisions[i][j];
      }
    }
    scores.map /= static_cast<double>(kDenseOverlaps.size() * kDenseMeteors.size());
    scores.detection_map /= static_cast<double>(kDenseOverlaps.size());
  }
  return result;
}

}  // namespace patchioner
