#include "metrics/dense.hpp"

#include <algorithm>
#include <numeric>
#include <patchioner/error.hpp>

#include "metrics/detection_ranking.hpp"

namespace patchioner {
namespace {

constexpr double kMergeOverlap = 0.7;

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
  std::vector<RatedDetection> detections;
  for (size_t i = 0; i < matches.records.size(); ++i) {
    const DenseRecord& record = matches.records[i];
    detections.push_back({.image = record.image,
                          .score = record.score,
                          .overlap = record.overlap,
                          .meteor = meteors[i],
                          .is_first = record.is_first && !record.references.empty()});
  }
  std::vector<int32_t> boxes;
  for (const DenseTruth& truth : matches.truths) {
    boxes.push_back(static_cast<int32_t>(truth.boxes.size()));
  }
  return DetectionRanking(detections, std::move(boxes), options.variant).scores();
}

std::vector<Segment> segments_of(const DenseMatches& matches) {
  std::vector<Segment> segments;
  for (const DenseRecord& record : matches.records) {
    segments.push_back({record.candidate, record.references});
  }
  return segments;
}

}  // namespace patchioner
