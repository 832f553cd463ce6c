#include "metrics/dense_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace patchioner {
namespace {

constexpr double kGood = 0.5;         // a mean overlap at which nobody asks
constexpr size_t kImages = 500;       // enough to tell
constexpr double kBetter = 1.5;       // times the mean overlap as the boxes are ...
constexpr double kMoreOverlap = 0.1;  // ... and so much above it: the boxes mean something else

using Reading = std::function<DenseBox(const DenseBox& box)>;

DenseBox as_it_is(const DenseBox& box) {
  return box;
}

/// x,y,width,height that were taken for corners.
DenseBox sides_to_corners(const DenseBox& box) {
  return {box[0], box[1], box[0] + box[2], box[1] + box[3]};
}

/// Corners that were taken for x,y,width,height.
DenseBox corners_as_sides(const DenseBox& box) {
  return {box[0], box[1], box[2] - box[0], box[3] - box[1]};
}

DenseBox scaled(const DenseBox& box, double x, double y) {
  return {box[0] * x, box[1] * y, box[2] * x, box[3] * y};
}

double mean_overlap(std::span<const DenseImage> images, const Reading& detection, const Reading& truth) {
  double sum = 0;
  size_t count = 0;
  for (const DenseImage& image : images) {
    for (const DenseBox& box : image.boxes) {
      double best = 0;
      for (const DenseBox& true_box : image.true_boxes) {
        best = std::max(best, overlap_of(detection(box), truth(true_box), DenseVariant::python));
      }
      sum += best;
      ++count;
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

/// How much larger the true boxes' right (side 2) or lower (side 3) border is than the detections'.
double extent_ratio(const DenseImage& image, size_t side) {
  double largest = 0;
  double largest_true = 0;
  for (const DenseBox& box : image.boxes) {
    largest = std::max(largest, box[side]);
  }
  for (const DenseBox& box : image.true_boxes) {
    largest_true = std::max(largest_true, box[side]);
  }
  return largest > 0 && largest_true > 0 ? largest_true / largest : 1;
}

/// The images with detections and true boxes, their detections stretched to where the true boxes end; the
/// middle factor beside them.
std::pair<std::vector<DenseImage>, double> stretched(std::span<const DenseImage> images) {
  std::vector<DenseImage> result(images.begin(), images.end());
  std::vector<double> factors;
  for (DenseImage& image : result) {
    const double x = extent_ratio(image, 2);
    const double y = extent_ratio(image, 3);
    for (DenseBox& box : image.boxes) {
      box = scaled(box, x, y);
    }
    factors.push_back((x + y) / 2);
  }
  std::sort(factors.begin(), factors.end());
  return {std::move(result), factors[factors.size() / 2]};
}

std::vector<std::string> suspicions(std::span<const DenseImage> all, bool were_corners) {
  std::vector<DenseImage> images;
  for (const DenseImage& image : all) {
    if (!image.boxes.empty() && !image.true_boxes.empty() && images.size() < kImages) {
      images.push_back(image);
    }
  }
  if (images.empty()) {
    return {};
  }
  const double as_given = mean_overlap(images, as_it_is, as_it_is);
  if (as_given >= kGood) {
    return {};
  }
  double best = std::max(as_given * kBetter, as_given + kMoreOverlap);
  std::vector<std::string> warnings;
  const auto consider = [&](double overlap, const std::string& what) {
    if (overlap > best) {
      best = overlap;
      warnings = {fmt::format("the boxes overlap the true ones by {:.2f} on average, but by {:.2f} {}",
                              as_given, overlap, what)};
    }
  };
  if (were_corners) {
    consider(mean_overlap(images, sides_to_corners, as_it_is),
             "when the numbers of the predictions are read as x,y,width,height: try --boxes xywh");
  } else {
    consider(mean_overlap(images, corners_as_sides, as_it_is),
             "when the numbers of the predictions are read as corners x1,y1,x2,y2: try --boxes corners");
  }
  consider(mean_overlap(images, as_it_is, sides_to_corners),
           "when the boxes of the references are read as x,y,width,height: files of dense captions hold "
           "corners x1,y1,x2,y2");
  constexpr double kSmallest = 0.8;
  constexpr double kLargest = 1.25;
  const auto [scaled_images, factor] = stretched(images);
  if (factor < kSmallest || factor > kLargest) {
    consider(
        mean_overlap(scaled_images, as_it_is, as_it_is),
        fmt::format("when the boxes of the predictions are made about {:.3g} times as large: they may be "
                    "in pixels of another size of the images, or relative to it",
                    factor));
  }
  return warnings;
}

}  // namespace

DenseReport dense_report(std::span<const DenseImage> images, const DenseMatches& matches, bool were_corners) {
  DenseReport report;
  report.images = images.size();
  report.skipped = matches.skipped;
  report.detections = matches.records.size();
  report.merged_boxes = matches.boxes;
  for (const DenseImage& image : images) {
    const bool counts = matches.skipped == 0 || !image.boxes.empty();  // all without detections are, or none
    report.true_boxes += counts ? image.true_boxes.size() : 0;
  }
  for (const DenseRecord& record : matches.records) {
    report.mean_overlap += record.overlap / static_cast<double>(matches.records.size());
    for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
      report.found[i] += record.is_first && record.overlap >= kDenseOverlaps[i] ? 1 : 0;
    }
  }
  report.warnings = suspicions(images, were_corners);
  return report;
}

}  // namespace patchioner
