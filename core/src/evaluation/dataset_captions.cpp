#include "evaluation/dataset_captions.hpp"

#include <malloc.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "data/dataset_reading.hpp"
#include "data/json_text.hpp"
#include "data/record_file.hpp"
#include "runtime/caption_images.hpp"
#include "runtime/prefetch.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLoadThreads = 2;  // reading and resizing is much faster than encoding
constexpr size_t kMostFailures = 5;
// The captions that are kept lie between freed images, whose pages the heap would keep as well: a third of a
// megabyte an image.
constexpr size_t kBatchesATrim = 16;

/// An image that is ready to be captioned, or cannot be.
struct Loaded {
  size_t index = 0;
  Json id;
  ImageStamp stamp;
  CaptionTask task;
  std::string error;
};

constexpr size_t kDigits = 12;  // of a digest

/// Without its digest, which takes reading the file.
ImageStamp quick_stamp(const std::filesystem::path& path) {
  return {std::filesystem::file_size(path),
          std::filesystem::last_write_time(path).time_since_epoch().count(),
          {}};
}

ImageStamp stamp_of(const std::filesystem::path& path) {
  ImageStamp stamp = quick_stamp(path);
  stamp.digest = sha256_of_file(path).substr(0, kDigits);
  return stamp;
}

/// Whether the file is the one that the stamp was taken of, wherever it was copied to since.
bool is_same(const ImageStamp& stamp, const std::filesystem::path& path) {
  try {
    const ImageStamp now = quick_stamp(path);
    return now.bytes == stamp.bytes &&
           (now.modified == stamp.modified || stamp_of(path).digest == stamp.digest);
  } catch (const std::exception&) {
    return false;
  }
}

Json record_of(const Loaded& loaded, const ImageCaptions& captions, const std::string& settings) {
  Json record = {{"index", loaded.index}, {"id", loaded.id}};
  if (!captions.error.empty()) {
    record["error"] = captions.error;
  } else {
    record["regions"] = Json::array();
    for (const RegionCaption& region : captions.regions) {
      if (!region.error.empty()) {
        record["regions"].push_back({{"error", region.error}});
      } else {
        record["regions"].push_back({{"caption", region.caption},
                                     {"score", std::isfinite(region.score) ? Json(region.score) : Json()}});
      }
    }
  }
  if (captions.warnings > 0) {
    record["warnings"] = captions.warnings;
  }
  if (!loaded.stamp.digest.empty()) {
    record["file"] = {
        {"bytes", loaded.stamp.bytes}, {"modified", loaded.stamp.modified}, {"digest", loaded.stamp.digest}};
  }
  record["seconds"] = std::round(captions.seconds * 1e4) / 1e4;
  record["settings"] = settings;
  return record;
}

ImageCaptions captions_of(const Json& record) {
  ImageCaptions captions;
  captions.error = record.value("error", "");
  captions.seconds = record.value("seconds", 0.0);
  captions.warnings = record.value("warnings", size_t{0});
  if (const auto file = record.find("file"); file != record.end()) {
    captions.stamp = {file->value("bytes", uint64_t{0}), file->value("modified", int64_t{0}),
                      file->value("digest", "")};
  }
  for (const Json& region : record.value("regions", Json::array())) {
    RegionCaption& one = captions.regions.emplace_back();
    one.caption = region.value("caption", "");
    one.error = region.value("error", "");
    const auto score = region.find("score");
    one.score = score != region.end() && score->is_number() ? score->get<double>() : std::nan("");
  }
  return captions;
}

ImageCaptions captions_of(ImageResult&& result) {
  ImageCaptions captions;
  captions.error = std::move(result.error);
  for (RegionResult& region : result.regions) {
    captions.warnings += region.warnings.size();
    captions.regions.push_back(
        {std::move(region.caption.text), region.caption.score, std::move(region.error)});
  }
  return captions;
}

bool is_whole(const ImageCaptions& captions) {
  return captions.error.empty() &&
         std::all_of(captions.regions.begin(), captions.regions.end(),
                     [](const RegionCaption& region) { return region.error.empty(); });
}

class Captioning {
 public:
  Captioning(const Dataset& dataset, const Captioner& captioner, const DatasetCaptionOptions& options)
      : dataset_(dataset),
        captioner_(captioner),
        options_(options),
        size_(dataset.size()),
        found_(size_),
        file_(options.records, RecordFileMode::resume) {
    read_records();
    if (options.begin) {
      options.begin();
    }
  }

  std::optional<DatasetCaptions> run() {
    const PoliteInterrupt polite;
    Progress progress(fmt::format("captioning {}", options_.name), "images", size_);
    progress.start_at(done_before_);
    const auto batch_size = static_cast<size_t>(captioner_.batch());
    {
      Prefetch<Loaded> images([this](const std::stop_token&) { return next_job(); }, kLoadThreads,
                              2 * batch_size);
      auto last = std::chrono::steady_clock::now();
      size_t batches = 0;
      for (std::vector<Loaded> batch = take(images, batch_size); !batch.empty();
           batch = take(images, batch_size)) {
        std::vector<ImageCaptions> captions = caption(batch);
        const auto now = std::chrono::steady_clock::now();
        const double seconds = std::chrono::duration<double>(now - last).count();
        last = now;
        for (size_t i = 0; i < batch.size(); ++i) {
          captions[i].seconds = seconds / static_cast<double>(batch.size());
          file_.append(json_text(record_of(batch[i], captions[i], options_.settings)));
          found_[batch[i].index] = std::move(captions[i]);
          progress.advance();
        }
        if (++batches % kBatchesATrim == 0) {
          ::malloc_trim(0);
        }
      }
    }
    progress.finish();
    if (std::any_of(found_.begin(), found_.end(), [](const auto& one) { return !one.has_value(); })) {
      return std::nullopt;
    }
    return counted();
  }

 private:
  void read_records() {
    const auto refuse = [&](size_t number, const std::string& why) {
      throw Error(ErrorKind::usage, "{}:{}: {}; give another evaluate.output, or begin anew with --restart",
                  options_.records.string(), number, why);
    };
    file_.read([&](std::string_view line, size_t number) {
      const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!record.is_object() || !record.contains("index") || !record["index"].is_number_unsigned() ||
          !record.contains("settings")) {
        refuse(number, "is no record of an evaluation");
      }
      if (record["settings"] != options_.settings) {
        refuse(number, fmt::format("was made with other settings ({}, these are {})",
                                   record["settings"].dump(), options_.settings));
      }
      const auto index = record["index"].get<size_t>();
      if (index < size_) {
        found_[index] = captions_of(record);  // a later one has had another try
      }
    });
    for (size_t i = 0; i < size_; ++i) {
      std::optional<ImageCaptions>& one = found_[i];
      if (one && !(is_whole(*one) && is_same(one->stamp, dataset_.image(i).path))) {
        one.reset();
      }
      done_before_ += one ? 1 : 0;
    }
  }

  /// The next image that has no captions; called by one thread at a time.
  std::optional<Prefetch<Loaded>::Job> next_job() {
    while (next_ < size_ && found_[next_]) {
      ++next_;
    }
    if (next_ == size_) {
      return std::nullopt;
    }
    return [this, index = next_++] { return load(index); };
  }

  Loaded load(size_t index) const {
    Loaded loaded;
    loaded.index = index;
    try {
      const DatasetImage image = dataset_.image(index);
      loaded.id = image.id;
      for (const DatasetRegion& region : image.regions) {
        loaded.task.regions.push_back({region.shape, region.id});
      }
      if (image.path.empty()) {
        throw Error(ErrorKind::data, "{} is in none of the folders of dataset.images", image.file_name);
      }
      loaded.stamp = stamp_of(image.path);
      loaded.task.image = read_image(image.path, options_.orientation);
      captioner_.prepare(loaded.task);
      if (!captioner_.needs_pixels()) {
        loaded.task.image.pixels.reset();
      }
    } catch (const std::exception& error) {
      loaded.error = sentence_of(error);
    }
    return loaded;
  }

  static std::vector<Loaded> take(Prefetch<Loaded>& images, size_t most) {
    std::vector<Loaded> batch;
    while (batch.size() < most) {
      std::optional<Loaded> next = images.next(/*only_if_known=*/false, [] { return interrupted(); });
      if (!next) {
        break;
      }
      batch.push_back(std::move(*next));
    }
    return batch;
  }

  std::vector<ImageCaptions> caption(const std::vector<Loaded>& batch) const {
    std::vector<ImageCaptions> captions(batch.size());
    std::vector<size_t> places;
    std::vector<CaptionTask> tasks;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].error.empty()) {
        places.push_back(i);
        tasks.push_back(batch[i].task);
      } else {
        captions[i].error = batch[i].error;
      }
    }
    std::vector<ImageResult> results = caption_images(captioner_, tasks, {});
    for (size_t i = 0; i < places.size(); ++i) {
      captions[places[i]] = captions_of(std::move(results[i]));
    }
    return captions;
  }

  DatasetCaptions counted() {
    DatasetCaptions all;
    CaptionCounts& counts = all.counts;
    counts.images = size_;
    counts.images_before = done_before_;
    for (size_t i = 0; i < size_; ++i) {
      const ImageCaptions& image = *found_[i];
      counts.seconds += image.seconds;
      counts.warnings += image.warnings;
      counts.regions += image.regions.size();
      if (!is_whole(image)) {
        note_failures(i, image, counts);
      }
      all.images.push_back(std::move(*found_[i]));
    }
    return all;
  }

  void note_failures(size_t index, const ImageCaptions& captions, CaptionCounts& counts) const {
    const DatasetImage image = dataset_.image(index);
    const auto note = [&](const std::string& sentence) {
      if (counts.failures.size() < kMostFailures) {
        counts.failures.push_back(sentence);
      }
    };
    if (!captions.error.empty()) {
      counts.failed += image.regions.size();
      counts.regions += image.regions.size();
      note(fmt::format("image {}: {}", id_text(image.id), captions.error));
    }
    for (size_t i = 0; i < captions.regions.size(); ++i) {
      if (!captions.regions[i].error.empty()) {
        ++counts.failed;
        note(fmt::format("image {}, region {}: {}", id_text(image.id), i + 1, captions.regions[i].error));
      }
    }
  }

  const Dataset& dataset_;
  const Captioner& captioner_;
  const DatasetCaptionOptions& options_;
  size_t size_;
  std::vector<std::optional<ImageCaptions>> found_;
  RecordFile file_;
  size_t done_before_ = 0;
  size_t next_ = 0;
};

}  // namespace

std::optional<DatasetCaptions> caption_dataset(const Dataset& dataset, const Captioner& captioner,
                                               const DatasetCaptionOptions& options) {
  return Captioning(dataset, captioner, options).run();
}

DatasetPredictions predictions_of(const Dataset& dataset, const DatasetCaptions& captions,
                                  const std::string& file, std::optional<double> confidence) {
  struct Ordered {
    size_t position;
    RegionPlace place;
    Prediction prediction;
  };
  std::vector<Ordered> all;
  for (size_t i = 0; i < captions.images.size(); ++i) {
    const ImageCaptions& of_image = captions.images[i];
    if (!of_image.error.empty()) {
      continue;
    }
    DatasetImage image = dataset.image(i);
    for (size_t j = 0; j < of_image.regions.size(); ++j) {
      const RegionCaption& said = of_image.regions[j];
      if (!said.error.empty()) {
        continue;
      }
      DatasetRegion& region = image.regions[j];
      Prediction prediction;
      prediction.image = id_text(image.id);
      prediction.file_name = image.file_name;
      if (std::holds_alternative<Box>(region.shape)) {
        prediction.corners = box_corners(region);
      }
      prediction.shape = std::move(region.shape);
      prediction.caption = said.caption;
      if (confidence) {
        prediction.score = confidence;
      } else if (std::isfinite(said.score)) {
        prediction.score = said.score;
      }
      prediction.where = fmt::format("{}: image {}, region {}", file, prediction.image, j + 1);
      all.push_back({region.position, {i, j}, std::move(prediction)});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Ordered& a, const Ordered& b) { return a.position < b.position; });
  DatasetPredictions result;
  result.predictions.file = file;
  result.predictions.form = PredictionForm::coco_results;
  result.predictions.boxes_were_corners = dataset.format() == DatasetFormat::dense;
  for (Ordered& one : all) {
    result.predictions.items.push_back(std::move(one.prediction));
    result.places.push_back(one.place);
  }
  return result;
}

}  // namespace patchioner
