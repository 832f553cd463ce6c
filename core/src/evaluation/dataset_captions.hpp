// Captions of all regions of a data set, kept image by image in a file that survives being killed.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/prediction_files.hpp"
#include "image/image.hpp"
#include "runtime/captioner.hpp"

namespace patchioner {

/// One region's caption, or why there is none.
struct RegionCaption {
  std::string caption;
  double score = 0;   ///< not finite where the decoder gave none
  std::string error;  ///< when not empty there is no caption
};

/// Which file an image was: a changed one is captioned again.
struct ImageStamp {
  uint64_t bytes = 0;
  int64_t modified = 0;  ///< as the file system counts
  std::string digest;    ///< of its content
};

/// Of one image.
struct ImageCaptions {
  std::vector<RegionCaption> regions;  ///< parallel to DatasetImage::regions; empty with `error`
  std::string error;
  ImageStamp stamp;
  double seconds = 0;  ///< its share of the time that its batch took
  size_t warnings = 0;
};

struct CaptionCounts {
  size_t images = 0;
  size_t regions = 0;
  size_t images_before = 0;  ///< done by an earlier call
  size_t failed = 0;         ///< regions without a caption
  size_t warnings = 0;
  std::vector<std::string> failures;  ///< the first of them, sentences with their place
  double seconds = 0;                 ///< of all calls together
};

struct DatasetCaptions {
  std::vector<ImageCaptions> images;  ///< in the order of the data set
  CaptionCounts counts;
};

/// What decides the captions of a data set, beside the captioner.
struct DatasetCaptionOptions {
  std::string name;               ///< of the data set, for messages and progress
  std::filesystem::path records;  ///< the file; made when it is not there
  std::string settings;           ///< that its records must have been made with
  ExifOrientation orientation = ExifOrientation::ignore;
  std::function<void()> begin = {};  ///< called when the records were accepted, before any work; may be empty
};

/// Captions the images that `records` does not hold, holds with a failure, or holds of another file than lies
/// there now; shows progress. Nothing after an interrupt, which is looked for after each batch: the same call
/// goes on. Images are read ahead, at most two batches of them. Throws Error: usage when the records were
/// made with other settings; io when they cannot be written.
std::optional<DatasetCaptions> caption_dataset(const Dataset& dataset, const Captioner& captioner,
                                               const DatasetCaptionOptions& options);

/// The place of a region in a data set.
struct RegionPlace {
  size_t image = 0;
  size_t region = 0;
};

/// The captions that there are, as what is scored: in the order of the data set's file. With a `confidence`
/// all have it instead of their own score.
struct DatasetPredictions {
  Predictions predictions;
  std::vector<RegionPlace> places;  ///< of each
};
DatasetPredictions predictions_of(const Dataset& dataset, const DatasetCaptions& captions,
                                  const std::string& file, std::optional<double> confidence = {});

}  // namespace patchioner
