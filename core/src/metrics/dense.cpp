#include "metrics/dense.hpp"

#include <algorithm>
#include <numeric>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr double kMergeOverlap = 0.7;
constexpr size_t kRecallSteps = 100;
constexpr double kRecallStep = 0.01;

DenseBox rounded(const DenseBox& box, DenseVariant variant) {
  if (variant == DenseVariant::python) {
    return box;
  }
  DenseBox result;
  std::transform(box.begin(), box.end(), result.begin(),
                 [](double value) { return static_cast<double>(static_cast<float>(value)); });
  return result;
}

std::vector<DenseBox> rounded(const std::vector<DenseBox>& boxes, DenseVariant variant) {
  std::vector<DenseBox> result;
  for (const DenseBox& box : boxes) {
    result.push_back(rounded(box, variant));
  }
  return result;
}

/// The box with the most neighbours takes them, again and again; neighbours of neighbours stay.
DenseTruth merge_truth(const std::vector<DenseBox>& boxes, DenseVariant variant) {
  const size_t count = boxes.size();
  std::vector<std::vector<bool>> are_near(count, std::vector<bool>(count));
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      // A box without area is not even near itself, except in the Lua code, which sets the diagonal.
      are_near[i][j] = (variant == DenseVariant::lua && i == j) ||
                       overlap_of(boxes[i], boxes[j], variant) >= kMergeOverlap;
    }
  }
  std::vector<bool> is_left(count, true);
  DenseTruth truth;
  while (true) {
    std::vector<size_t> group;
    for (size_t i = 0; i < count; ++i) {
      std::vector<size_t> near;
      for (size_t j = 0; is_left[i] && j < count; ++j) {
        if (is_left[j] && are_near[i][j]) {
          near.push_back(j);
        }
      }
      if (near.size() > group.size()) {
        group = std::move(near);
      }
    }
    if (group.empty()) {
      return truth;
    }
    DenseBox mean = {};
    for (const size_t member : group) {
      is_left[member] = false;
      for (size_t side = 0; side < mean.size(); ++side) {
        mean[side] += boxes[member][side];
      }
    }
    for (double& side : mean) {
      side /= static_cast<double>(group.size());
    }
    truth.boxes.push_back(rounded(mean, variant));
    truth.groups.push_back(std::move(group));
  }
}

void check(const DenseImage& image) {
  if (image.boxes.size() != image.scores.size() || image.boxes.size() != image.texts.size()) {
    throw Error(ErrorKind::data,
                "image {}: {} detected boxes, {} scores, {} captions; each box needs one of both", image.id,
                image.boxes.size(), image.scores.size(), image.texts.size());
  }
  if (image.true_boxes.size() != image.true_texts.size()) {
    throw Error(ErrorKind::data, "image {}: {} true boxes, but {} captions of them; each box needs one",
                image.id, image.true_boxes.size(), image.true_texts.size());
  }
}

/// Places of the values in decreasing order, equal ones as they stand.
std::vector<size_t> decreasing(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

/// The records of an image's detections, best first.
std::vector<DenseRecord> records_of(const DenseImage& image, size_t index, const DenseTruth& truth,
                                    DenseVariant variant) {
  const std::vector<DenseBox> boxes = rounded(image.boxes, variant);
  std::vector<bool> is_used(truth.boxes.size());
  std::vector<DenseRecord> records;
  for (const size_t detection : decreasing(image.scores)) {
    DenseRecord record{.image = index,
                       .detection = detection,
                       .score = image.scores[detection],
                       .candidate = image.texts[detection],
                       .references = {}};
    size_t best = truth.boxes.size();
    for (size_t i = 0; i < truth.boxes.size(); ++i) {
      const double overlap = overlap_of(boxes[detection], truth.boxes[i], variant);
      if (overlap > record.overlap) {
        record.overlap = overlap;
        best = i;
      }
    }
    if (best < truth.boxes.size()) {
      for (const size_t member : truth.groups[best]) {
        record.references.push_back(image.true_texts[member]);
      }
    } else if (variant == DenseVariant::lua && !truth.boxes.empty()) {
      best = truth.boxes.size() - 1;  // index -1 of a Torch7 tensor is its last element
    }
    if (best < truth.boxes.size() && !is_used[best]) {
      is_used[best] = true;
      record.is_first = true;
    }
    records.push_back(std::move(record));
  }
  return records;
}

/// Numbers as the evaluators compute with them: the one in single precision, the other in double.
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
  for (size_t k = precisions.size(); k-- > 1;) {
    precisions[k - 1] = std::max(precisions[k - 1], precisions[k]);  // the best from here on
  }
  double sum = 0;
  double accumulated = 0;
  for (size_t step = 0; step < kRecallSteps; ++step) {
    constexpr bool kIsAccumulated = std::is_same_v<Number, double>;
    const auto threshold =
        static_cast<Number>(kIsAccumulated ? accumulated : kRecallStep * static_cast<double>(step));
    accumulated += kRecallStep;
    const auto from = std::lower_bound(recalls.begin(), recalls.end(), threshold);
    sum += from == recalls.end()
               ? 0
               : static_cast<double>(precisions[static_cast<size_t>(from - recalls.begin())]);
  }
  return sum / static_cast<double>(kRecallSteps);
}

}  // namespace

double overlap_of(const DenseBox& a, const DenseBox& b, DenseVariant variant) {
  const double pixel = variant == DenseVariant::lua ? 1 : 0;
  const double width = std::max(0.0, std::min(a[2], b[2]) - std::max(a[0], b[0]) + pixel);
  const double height = std::max(0.0, std::min(a[3], b[3]) - std::max(a[1], b[1]) + pixel);
  const auto area = [&](const DenseBox& box) {
    return (box[2] - box[0] + pixel) * (box[3] - box[1] + pixel);
  };
  return width * height / (area(a) + area(b) - width * height);
}

DenseMatches match_detections(std::span<const DenseImage> images, const DenseOptions& options) {
  DenseMatches matches;
  for (size_t i = 0; i < images.size(); ++i) {
    check(images[i]);
    if (images[i].boxes.empty() && !options.count_empty_images) {
      matches.truths.emplace_back();
      ++matches.skipped;
      continue;
    }
    matches.truths.push_back(merge_truth(rounded(images[i].true_boxes, options.variant), options.variant));
    matches.boxes += matches.truths.back().boxes.size();
    for (DenseRecord& record : records_of(images[i], i, matches.truths.back(), options.variant)) {
      matches.records.push_back(std::move(record));
    }
  }
  return matches;
}

DenseScores dense_scores(const DenseMatches& matches, std::span<const double> meteors,
                         const DenseOptions& options) {
  std::vector<double> scores;
  for (const DenseRecord& record : matches.records) {
    scores.push_back(record.score);
  }
  const std::vector<size_t> order = decreasing(scores);
  const auto precision_at = [&](double overlap, double meteor) {
    std::vector<bool> is_right;
    for (const size_t place : order) {
      const DenseRecord& record = matches.records[place];
      is_right.push_back(record.is_first && !record.references.empty() && record.overlap >= overlap &&
                         meteors[place] > meteor);
    }
    return options.variant == DenseVariant::lua ? average_precision<double>(is_right, matches.boxes)
                                                : average_precision<float>(is_right, matches.boxes);
  };
  constexpr double kAnyText = -1;
  DenseScores result;
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    for (size_t j = 0; j < kDenseMeteors.size(); ++j) {
      result.precisions[i][j] = precision_at(kDenseOverlaps[i], kDenseMeteors[j]);
      result.map += result.precisions[i][j];
    }
    result.detections[i] = precision_at(kDenseOverlaps[i], kAnyText);
    result.detection_map += result.detections[i];
  }
  result.map /= static_cast<double>(kDenseOverlaps.size() * kDenseMeteors.size());
  result.detection_map /= static_cast<double>(kDenseOverlaps.size());
  return result;
}

std::vector<Segment> segments_of(const DenseMatches& matches) {
  std::vector<Segment> segments;
  for (const DenseRecord& record : matches.records) {
    segments.push_back({record.candidate, record.references});
  }
  return segments;
}

}  // namespace patchioner
