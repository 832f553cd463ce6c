#include "metrics/score_items.hpp"

#include <cmath>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "data/dataset_reading.hpp"
#include "data/region_json.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// Numbers that went through other sums (x + width) are equal here; the cells' borders lie off the round
/// numbers of real files.
std::string coarse(double value, double scale) {
  constexpr double kOffBorders = 0.3137;
  return fmt::format("{:.0f},", std::floor(value * scale + kOffBorders));
}

std::string corners_key(const std::array<double, 4>& corners) {
  constexpr double kThousandths = 1e3;  // of a pixel
  std::string key;
  for (const double value : corners) {
    key += coarse(value, kThousandths);
  }
  return key;
}

std::string box_key(const Box& box) {
  return corners_key({box.x, box.y, box.x + box.width, box.y + box.height});
}

/// Equal for equal regions of an image.
std::string shape_key(const RegionShape& shape) {
  constexpr double kMillionths = 1e6;  // of an image's side
  std::string key(kind_name(shape));
  key += ' ';
  if (const auto* box = std::get_if<Box>(&shape)) {
    return key + box_key(*box);
  }
  if (const auto* set = std::get_if<BoxSet>(&shape)) {
    for (const Box& box : set->boxes) {
      key += box_key(box) + ";";
    }
    return key;
  }
  if (const auto* trace = std::get_if<Trace>(&shape)) {
    for (const TracePoint& point : trace->points) {
      key += coarse(point.x, kMillionths) + coarse(point.y, kMillionths);
    }
    return key;
  }
  return key + region_to_json({shape, {}}).dump();
}

/// What the reading of the references said of a kind of problems.
std::string sentence_of(const Dataset& references, ProblemKind kind) {
  for (std::string& line : references.problems().summary()) {
    if (line.find(to_string(kind)) != std::string::npos) {
      return std::move(line);
    }
  }
  return {};
}

/// Finds the image of a prediction.
class ImageIndex {
 public:
  ImageIndex(const Dataset& references, ImageMatch match) : match_(match) {
    // Elsewhere names are guesses made of ids.
    has_names_ = references.format() == DatasetFormat::coco ||
                 references.format() == DatasetFormat::karpathy ||
                 references.format() == DatasetFormat::dense || references.format() == DatasetFormat::records;
  }

  void add(size_t index, const DatasetImage& image) {
    by_id_.emplace(id_text(image.id), index);
    const std::string name = base_name(image.file_name);
    names_.push_back(name);
    const auto [entry, is_new] = by_name_.emplace(name, index);
    if (!is_new) {
      entry->second = kAmbiguous;
    }
  }

  std::optional<size_t> find(const Prediction& prediction) const {
    if (match_ == ImageMatch::file || prediction.image.empty()) {
      return find_by_name(prediction);
    }
    const auto found = by_id_.find(prediction.image);
    if (found == by_id_.end()) {
      return std::nullopt;
    }
    const std::string name = base_name(prediction.file_name);
    if (has_names_ && !name.empty() && name != names_[found->second]) {
      throw Error(ErrorKind::data,
                  "{}: the image {} is {} here, but {} in the references; match images by their files' names "
                  "by --match file, or give the right ids",
                  prediction.where, prediction.image, name, names_[found->second]);
    }
    return found->second;
  }

 private:
  static constexpr size_t kAmbiguous = static_cast<size_t>(-1);

  std::optional<size_t> find_by_name(const Prediction& prediction) const {
    if (prediction.file_name.empty()) {
      throw Error(ErrorKind::data, "{}: names no file, by which --match file finds images", prediction.where);
    }
    const std::string name = base_name(prediction.file_name);
    auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      return std::nullopt;
    }
    if (found->second == kAmbiguous) {
      throw Error(ErrorKind::data, "{}: several images of the references are called {}; give ids",
                  prediction.where, name);
    }
    return found->second;
  }

  ImageMatch match_;
  bool has_names_ = false;
  std::unordered_map<std::string, size_t> by_id_;
  std::unordered_map<std::string, size_t> by_name_;
  std::vector<std::string> names_;
};

std::string image_of(const Prediction& prediction) {
  return prediction.image.empty() ? prediction.file_name : prediction.image;
}

/// Notes what says nothing, by place.
void count_empty(const Predictions& predictions, const std::vector<size_t>& scored, PairingCounts& counts) {
  std::vector<std::string> places;
  for (const size_t index : scored) {
    if (predictions.items[index].caption.find_first_not_of(" \t\r\n") == std::string::npos) {
      places.push_back(predictions.items[index].where);
    }
  }
  counts.empty_captions = places.size();
  if (!places.empty()) {
    counts.notes.push_back(fmt::format("{} of {} captions say nothing and score 0: {}", places.size(),
                                       scored.size(), some_names(places)));
  }
}

/// Predictions that belong to no image or region of the references.
void refuse_strangers(const std::vector<std::string>& strangers, const Predictions& predictions,
                      const PairingOptions& options, PairingCounts& counts) {
  if (strangers.empty()) {
    return;
  }
  const std::string sentence = fmt::format("no references for {} of {} predictions: {}", strangers.size(),
                                           predictions.items.size(), some_names(strangers));
  if (!options.intersection) {
    throw Error(ErrorKind::data, "{}; {} scores what both have", sentence, options.leave_out);
  }
  counts.predictions_left_out = strangers.size();
  counts.notes.push_back("left out: " + sentence);
}

std::string errors_of(const Predictions& predictions) {
  return predictions.failed.empty()
             ? std::string()
             : fmt::format(" ({} records or regions hold an error instead of a caption: {})",
                           predictions.failed.size(), some_names(predictions.failed));
}

/// The regions of a data set, each to be found by its image and shape once.
class ReferencePool {
 public:
  struct Entry {
    std::string id;
    std::vector<std::string> references;
    std::string taken_by;  ///< the place of its prediction
  };

  ReferencePool(const Dataset& references, ImageMatch match) : images_(references, match) {
    for (size_t i = 0; i < references.size(); ++i) {
      const DatasetImage image = references.image(i);
      images_.add(i, image);
      for (size_t j = 0; j < image.regions.size(); ++j) {
        add(i, image, j);
      }
    }
  }

  std::vector<Entry>& entries() { return entries_; }

  /// The places, among entries(), of the regions that a prediction may be of.
  const std::vector<size_t>* find(const Prediction& prediction) const {
    const std::optional<size_t> image = images_.find(prediction);
    if (!image) {
      return nullptr;
    }
    const auto found = places_.find(key_of(*image, shape_key(prediction.shape)));
    return found == places_.end() ? nullptr : &found->second;
  }

 private:
  static std::string key_of(size_t image, const std::string& shape) {
    return std::to_string(image) + " " + shape;
  }

  void add(size_t index, const DatasetImage& image, size_t number) {
    const DatasetRegion& region = image.regions[number];
    const std::string id = id_text(image.id);
    const bool is_alone = std::holds_alternative<WholeImage>(region.shape);
    const std::string key = shape_key(region.shape);
    places_[key_of(index, key)].push_back(entries_.size());
    if (std::holds_alternative<Box>(region.shape)) {
      // A box without area has been given some; files of predictions copy it as it was.
      const std::string as_written = "box " + corners_key(box_corners(region));
      if (as_written != key) {
        places_[key_of(index, as_written)].push_back(entries_.size());
      }
    }
    entries_.push_back({is_alone ? id : fmt::format("{} region {}", id, number + 1), region.references, {}});
  }

  ImageIndex images_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::vector<size_t>> places_;
};

}  // namespace

void check_reading(const Dataset& references, const PairingOptions& options, PairingCounts& counts) {
  for (const ProblemKind kind : {ProblemKind::malformed_record, ProblemKind::duplicate_image,
                                 ProblemKind::unknown_image, ProblemKind::inverted_box}) {
    const size_t count = references.problems().count(kind);
    if (count == 0) {
      continue;
    }
    if (!options.intersection) {
      throw Error(ErrorKind::data, "the references are not whole: {}; repair them, or score the rest by {}",
                  sentence_of(references, kind), options.leave_out);
    }
    counts.references_left_out += count;
    counts.notes.push_back("left out of the references: " + sentence_of(references, kind));
  }
  if (references.problems().count(ProblemKind::duplicate_annotation) > 0) {
    counts.notes.push_back("all of these count: " +
                           sentence_of(references, ProblemKind::duplicate_annotation));
  }
}

ScoreItems score_items(const Predictions& predictions, const Dataset& references,
                       const PairingOptions& options) {
  ScoreItems items;
  check_reading(references, options, items.counts);
  ReferencePool pool(references, options.match);
  std::vector<std::string> twice;
  std::vector<std::string> strangers;
  std::vector<std::string> without_references;
  for (size_t i = 0; i < predictions.items.size(); ++i) {
    const Prediction& prediction = predictions.items[i];
    const std::vector<size_t>* places = pool.find(prediction);
    if (places == nullptr) {
      const bool is_whole = std::holds_alternative<WholeImage>(prediction.shape);
      strangers.push_back(
          fmt::format("{} ({}image {})", prediction.where,
                      is_whole ? std::string() : fmt::format("the {} of ", kind_name(prediction.shape)),
                      image_of(prediction)));
      continue;
    }
    const auto free = std::find_if(places->begin(), places->end(),
                                   [&](size_t place) { return pool.entries()[place].taken_by.empty(); });
    if (free == places->end()) {
      const ReferencePool::Entry& entry = pool.entries()[places->back()];
      twice.push_back(fmt::format("{} and {} (of {})", entry.taken_by, prediction.where, entry.id));
      continue;
    }
    ReferencePool::Entry& entry = pool.entries()[*free];
    entry.taken_by = prediction.where;
    if (entry.references.empty()) {
      without_references.push_back(entry.id);
      continue;
    }
    items.captions.push_back({entry.id, prediction.caption, std::move(entry.references)});
    items.predictions.push_back(i);
  }
  if (!twice.empty()) {
    throw Error(ErrorKind::data, "two captions of one thing, {} times: {}; one each is scored", twice.size(),
                some_names(twice));
  }
  refuse_strangers(strangers, predictions, options, items.counts);
  std::vector<std::string> missing;
  for (const ReferencePool::Entry& entry : pool.entries()) {
    if (entry.taken_by.empty()) {
      missing.push_back(entry.id);
    }
  }
  PairingCounts& counts = items.counts;
  for (const auto& [names, what] :
       {std::pair(&missing, "prediction"), std::pair(&without_references, "reference")}) {
    if (names->empty()) {
      continue;
    }
    const std::string sentence = fmt::format("no {} for {} of {} images or regions of the references: {}{}",
                                             what, names->size(), pool.entries().size(), some_names(*names),
                                             names == &missing ? errors_of(predictions) : std::string());
    if (!options.intersection) {
      throw Error(ErrorKind::data, "{}; {} scores what both have", sentence, options.leave_out);
    }
    counts.references_left_out += names->size();
    counts.notes.push_back("left out: " + sentence);
  }
  count_empty(predictions, items.predictions, counts);
  return items;
}

ScoreItems score_items(const Predictions& predictions) {
  ScoreItems items;
  for (size_t i = 0; i < predictions.items.size(); ++i) {
    const Prediction& prediction = predictions.items[i];
    items.captions.push_back({std::to_string(i), prediction.caption, prediction.references});
    items.predictions.push_back(i);
  }
  count_empty(predictions, items.predictions, items.counts);
  return items;
}

DenseItems dense_items(const Predictions& predictions, const Dataset& references,
                       const PairingOptions& options) {
  DenseItems items;
  check_reading(references, options, items.counts);
  ImageIndex images(references, options.match);
  std::vector<std::string> without_references;
  for (size_t i = 0; i < references.size(); ++i) {
    const DatasetImage image = references.image(i);
    images.add(i, image);
    DenseImage& dense = items.images.emplace_back();
    dense.id = id_text(image.id);
    for (const DatasetRegion& region : image.regions) {
      if (!std::holds_alternative<Box>(region.shape)) {
        throw Error(ErrorKind::data, "{}: the {} of image {} is no box; dense captions are of boxes",
                    references.name(), kind_name(region.shape), dense.id);
      }
      if (region.references.empty()) {
        without_references.push_back(fmt::format("{} region {}", dense.id, dense.true_boxes.size() + 1));
      }
      for (const std::string& reference : region.references) {
        dense.true_boxes.push_back(box_corners(region));
        dense.true_texts.push_back(reference);
      }
    }
  }
  if (!without_references.empty()) {
    const std::string sentence = fmt::format("no reference for {} true boxes: {}", without_references.size(),
                                             some_names(without_references));
    if (!options.intersection) {
      throw Error(ErrorKind::data, "{}; {} scores what both have", sentence, options.leave_out);
    }
    items.counts.references_left_out += without_references.size();
    items.counts.notes.push_back("left out: " + sentence);
  }
  items.predictions.resize(items.images.size());
  std::vector<std::string> strangers;
  std::vector<size_t> scored;
  size_t without_score = 0;
  for (size_t i = 0; i < predictions.items.size(); ++i) {
    const Prediction& prediction = predictions.items[i];
    if (!std::holds_alternative<Box>(prediction.shape)) {
      throw Error(ErrorKind::data, "{}: has no box; dense captions are of boxes", prediction.where);
    }
    const std::optional<size_t> image = images.find(prediction);
    if (!image) {
      strangers.push_back(fmt::format("{} (image {})", prediction.where, image_of(prediction)));
      continue;
    }
    DenseImage& dense = items.images[*image];
    dense.boxes.push_back(prediction.corners);
    dense.scores.push_back(prediction.score.value_or(1));
    dense.texts.push_back(prediction.caption);
    items.predictions[*image].push_back(i);
    scored.push_back(i);
    without_score += prediction.score ? 0 : 1;
  }
  refuse_strangers(strangers, predictions, options, items.counts);
  if (!predictions.failed.empty()) {
    items.counts.notes.push_back(fmt::format("predictions without captions:{}", errors_of(predictions)));
  }
  if (without_score > 0) {
    items.counts.notes.push_back(fmt::format(
        "{} of {} predictions have no score and count as 1; of equal scores the order of the file decides",
        without_score, scored.size()));
  }
  count_empty(predictions, scored, items.counts);
  return items;
}

}  // namespace patchioner
