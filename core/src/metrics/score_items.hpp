// What is scored: predictions of a file held against the references of a data set, each against its own. What
// does not fit is told by its place, and nothing is left out unless that was asked for.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/prediction_files.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/dense.hpp"

namespace patchioner {

/// By what a prediction finds its image.
enum class ImageMatch {
  id,    ///< its id; by its file's name where it has no id
  file,  ///< its file's name alone, for ids that count images (`patchioner caption --coco` of a folder)
};

struct PairingOptions {
  /// What only one side has is left out, and counted, instead of being an error.
  bool intersection = false;
  ImageMatch match = ImageMatch::id;
  std::string leave_out = "--intersection";  ///< how a user asks for `intersection`, for messages
};

/// What was left out or is worth knowing.
struct PairingCounts {
  size_t predictions_left_out = 0;
  size_t references_left_out = 0;
  size_t empty_captions = 0;
  std::vector<std::string> notes;  ///< sentences
};

/// What reading left out of the references would be missing in every score. Throws an Error of kind data that
/// says so; with `intersection` it is counted and noted instead. Part of score_items and dense_items, for
/// whoever wants to know before long work.
void check_reading(const Dataset& references, const PairingOptions& options, PairingCounts& counts);

struct ScoreItems {
  std::vector<ScoredCaption> captions;  ///< in the order of the predictions
  std::vector<size_t> predictions;      ///< of each caption, its place among Predictions::items
  PairingCounts counts;
};

/// A caption for each image or region of the data set; regions are found by their shapes, equal ones in their
/// order. Throws Error of kind data, with places, when two predictions are of one thing, and, without
/// `intersection`, when one side has what the other has not, something has no references, or the data set's
/// reading left something out.
ScoreItems score_items(const Predictions& predictions, const Dataset& references,
                       const PairingOptions& options);

/// The same of a file that carries its references.
ScoreItems score_items(const Predictions& predictions);

struct DenseItems {
  std::vector<DenseImage> images;                ///< in the order of the data set
  std::vector<std::vector<size_t>> predictions;  ///< of each image's boxes, places among Predictions::items
  PairingCounts counts;
};

/// Detections and true boxes image by image; a region with several references is a box with each of them.
/// Predictions without scores count as 1. Throws as score_items, except that images may lack predictions, and
/// for predictions and references that are no single box.
DenseItems dense_items(const Predictions& predictions, const Dataset& references,
                       const PairingOptions& options);

}  // namespace patchioner
