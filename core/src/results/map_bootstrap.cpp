#include "results/map_bootstrap.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/paired_items.hpp"
#include "results/resample_draws.hpp"

namespace patchioner {
namespace {

constexpr auto kAtOnce = static_cast<int64_t>(DetectionRanking::kAtOnce);

/// METEOR of the detection against its box, under whichever name.
const double* box_meteor(const ScoredItem& item) {
  constexpr std::string_view kName = "box_METEOR";
  const auto found = item.values.lower_bound(std::string(kName));
  return found != item.values.end() && found->first.starts_with(kName) ? &found->second : nullptr;
}

RunMaps without(std::string reason) {
  RunMaps maps;
  maps.missing = std::move(reason);
  return maps;
}

}  // namespace

bool is_map(const std::string& metric) {
  return metric == "map" || metric.starts_with("map(") || metric == "detmap";
}

void DetectionLines::add(const ScoredItem& item) {
  const double* const meteor = box_meteor(item);
  const bool has_place = !item.place.starts_with('#');
  are_whole = are_whole && item.detection && meteor != nullptr && has_place;
  if (!are_whole) {
    return;
  }
  const size_t image = region_place(item.place).image;
  detections.push_back({.image = image,
                        .score = item.detection->score,
                        .overlap = item.detection->overlap,
                        .meteor = *meteor,
                        .is_first = item.detection->is_first});
  boxes.emplace(image, item.detection->boxes_of_image);
}

MapBootstrap::MapBootstrap(DetectionLines lines, DenseVariant variant, int64_t resamples, uint64_t seed)
    : resamples_(resamples), seed_(seed) {
  std::vector<int32_t> boxes;
  for (const auto& [image, count] : lines.boxes) {
    images_.push_back(image);
    boxes.push_back(count);
  }
  // By image, as the evaluator has them before it orders them by score.
  std::stable_sort(lines.detections.begin(), lines.detections.end(),
                   [](const RatedDetection& a, const RatedDetection& b) { return a.image < b.image; });
  for (RatedDetection& detection : lines.detections) {
    detection.image = static_cast<size_t>(std::lower_bound(images_.begin(), images_.end(), detection.image) -
                                          images_.begin());
  }
  ranking_.emplace(lines.detections, std::move(boxes), variant);
  all_ = maps_of(images_);
}

const MapBootstrap::Resampled& MapBootstrap::Maps::of(const std::string& metric) const {
  return metric == "detmap" ? detection_map : map;
}

MapBootstrap::Maps MapBootstrap::maps_of(const std::vector<size_t>& images) const {
  std::vector<size_t> places;  // of the images among all
  for (const size_t image : images) {
    places.push_back(
        static_cast<size_t>(std::lower_bound(images_.begin(), images_.end(), image) - images_.begin()));
  }
  Maps maps;
  std::vector<DetectionRanking::ImageCounts> once(images_.size());
  for (const size_t place : places) {
    once[place][0] = 1;
  }
  const DenseScores scores = ranking_->scores(once)[0];
  maps.map.value = scores.map;
  maps.detection_map.value = scores.detection_map;
  if (images.size() < 2 || resamples_ < 1) {
    return maps;
  }
  maps.map.resampled.resize(static_cast<size_t>(resamples_));
  maps.detection_map.resampled.resize(static_cast<size_t>(resamples_));
  at::parallel_for(0, (resamples_ + kAtOnce - 1) / kAtOnce, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * kAtOnce;
      const int64_t count = std::min(kAtOnce, resamples_ - first);
      std::vector<DetectionRanking::ImageCounts> counts(images_.size());
      for (int64_t set = 0; set < count; ++set) {
        ResampleDraws draws(images.size(), first + set, seed_);
        for (size_t drawn = 0; drawn < images.size(); drawn += 2) {
          const ResampleDraws::Two two = draws.next_two();
          ++counts[places[two.first]][static_cast<size_t>(set)];
          if (drawn + 1 < images.size()) {
            ++counts[places[two.second]][static_cast<size_t>(set)];
          }
        }
      }
      const auto drawn_scores = ranking_->scores(counts);
      for (int64_t set = 0; set < count; ++set) {
        const DenseScores& of_set = drawn_scores[static_cast<size_t>(set)];
        maps.map.resampled[static_cast<size_t>(first + set)] = of_set.map;
        maps.detection_map.resampled[static_cast<size_t>(first + set)] = of_set.detection_map;
      }
    }
  });
  return maps;
}

Interval MapBootstrap::interval(const std::string& metric) const {
  const Resampled& all = all_.of(metric);
  return all.resampled.empty() ? Interval{all.value, all.value} : percentile_interval(all.resampled);
}

std::optional<PairedDifference> MapBootstrap::against(const MapBootstrap& baseline,
                                                      const std::string& metric) const {
  std::vector<size_t> shared;
  std::set_intersection(images_.begin(), images_.end(), baseline.images_.begin(), baseline.images_.end(),
                        std::back_inserter(shared));
  if (shared.empty()) {
    return std::nullopt;
  }
  const auto on_shared = [&](const MapBootstrap& run) {
    return run.images_.size() == shared.size() ? run.all_.of(metric) : run.maps_of(shared).of(metric);
  };
  const Resampled ours = on_shared(*this);
  const Resampled theirs = on_shared(baseline);
  PairedDifference result;
  result.delta = ours.value - theirs.value;
  result.interval = {result.delta, result.delta};
  if (ours.resampled.empty()) {
    return result;
  }
  std::vector<double> differences;
  for (size_t i = 0; i < ours.resampled.size(); ++i) {
    differences.push_back(ours.resampled[i] - theirs.resampled[i]);
  }
  result.p_value = two_sided_p(differences);
  result.interval = percentile_interval(std::move(differences));
  return result;
}

RunMaps run_maps(const RunScores& run, DetectionLines lines, int64_t resamples, uint64_t seed) {
  if (!lines.are_whole || lines.boxes.empty()) {
    return without(
        "items.jsonl does not say all that mAP needs of each detection, as those of earlier versions do not "
        "(boxes_of_image); evaluate again");
  }
  const size_t boxes =
      std::accumulate(lines.boxes.begin(), lines.boxes.end(), size_t{0},
                      [](size_t sum, const auto& image) { return sum + static_cast<size_t>(image.second); });
  if (boxes < run.boxes) {
    return without(
        fmt::format("{} of its {} boxes are in images without detections, of which items.jsonl has no line",
                    run.boxes - boxes, run.boxes));
  }
  RunMaps result;
  result.bootstrap.emplace(std::move(lines),
                           run.dense_variant == "lua" ? DenseVariant::lua : DenseVariant::python, resamples,
                           seed);
  constexpr double kRounding = 1e-9;  // of versions that added in another order
  for (const MetricValue& metric : run.metrics) {
    if (!is_map(metric.name)) {
      continue;
    }
    const double value = result.bootstrap->value(metric.name);
    if (std::abs(value - metric.value) > kRounding) {
      return without(fmt::format("the lines of items.jsonl come to a {} of {:g}, metrics.json has {:g}",
                                 metric.name, value, metric.value));
    }
    result.metrics.insert(metric.name);
  }
  return result;
}

}  // namespace patchioner
