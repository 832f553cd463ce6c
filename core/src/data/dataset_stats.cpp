#include "data/dataset_stats.hpp"

#include <algorithm>
#include <patchioner/error.hpp>
#include <unordered_set>

#include "data/dataset_reading.hpp"
#include "image/image.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

/// The parts of a text between white space.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char character : text) {
    const bool space = std::isspace(static_cast<unsigned char>(character)) != 0;
    if (!space && !inside) {
      words.emplace_back();
    }
    if (!space) {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    inside = !space;
  }
  return words;
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"count", spread.count}, {"min", spread.least}, {"mean", spread.mean()}, {"max", spread.most}};
}

}  // namespace

void Spread::add(double value) {
  least = count == 0 ? value : std::min(least, value);
  most = count == 0 ? value : std::max(most, value);
  sum += value;
  ++count;
}

DatasetStats stats_of(const Dataset& dataset) {
  DatasetStats stats;
  std::unordered_set<std::string> distinct;
  stats.images = dataset.size();
  for (size_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    stats.images_found += image.path.empty() ? 0 : 1;
    stats.regions += image.regions.size();
    stats.regions_an_image.add(static_cast<double>(image.regions.size()));
    for (const DatasetRegion& region : image.regions) {
      stats.references_a_region.add(static_cast<double>(region.references.size()));
      for (const std::string& reference : region.references) {
        const std::vector<std::string> words = words_of(reference);
        stats.words_a_reference.add(static_cast<double>(words.size()));
        distinct.insert(words.begin(), words.end());
      }
      if (const auto* set = std::get_if<BoxSet>(&region.shape)) {
        stats.boxes_a_set.add(static_cast<double>(set->boxes.size()));
      } else if (const auto* trace = std::get_if<Trace>(&region.shape)) {
        stats.points_a_trace.add(static_cast<double>(trace->points.size()));
      } else if (const auto* box = std::get_if<Box>(&region.shape); box != nullptr && image.width > 0) {
        stats.covered.add(box->width * box->height /
                          (static_cast<double>(image.width) * static_cast<double>(image.height)));
      }
    }
  }
  stats.distinct_words = distinct.size();
  return stats;
}

nlohmann::ordered_json to_json(const DatasetStats& stats) {
  nlohmann::ordered_json json = {
      {"images", stats.images}, {"images_found", stats.images_found}, {"regions", stats.regions}};
  for (const auto& [name, spread] :
       {std::pair("regions_an_image", &stats.regions_an_image),
        std::pair("references_a_region", &stats.references_a_region),
        std::pair("words_a_reference", &stats.words_a_reference),
        std::pair("boxes_a_set", &stats.boxes_a_set), std::pair("points_a_trace", &stats.points_a_trace),
        std::pair("part_of_image_covered_by_a_box", &stats.covered)}) {
    if (spread->count > 0) {
      json[name] = to_json(*spread);
    }
  }
  json["distinct_words"] = stats.distinct_words;
  return json;
}

bool check_images(const Dataset& dataset, DatasetProblems& problems) {
  Progress progress("checking", "images", dataset.size());
  for (size_t i = 0; i < dataset.size(); ++i) {
    if (interrupted()) {
      return false;
    }
    progress.advance();
    DatasetImage image = dataset.image(i);
    if (image.path.empty()) {
      continue;
    }
    int64_t width = 0;
    int64_t height = 0;
    try {
      const Image read = read_image(image.path, ExifOrientation::ignore);
      width = read.width();
      height = read.height();
    } catch (const Error& error) {
      problems.add(ProblemKind::unreadable_image, image.where, error.what());
      continue;
    }
    if (image.width > 0 && (image.width != width || image.height != height)) {
      problems.add(ProblemKind::image_size, image.where,
                   fmt::format("{} has {}x{} pixels, the annotations say {}x{}", image.path.string(), width,
                               height, image.width, image.height));
    }
    if (image.width == 0 || image.height == 0) {
      for (const DatasetRegion& region : image.regions) {
        check_boxes_inside(region.shape, width, height, image.where, problems);
      }
    }
  }
  progress.finish();
  return true;
}

}  // namespace patchioner
