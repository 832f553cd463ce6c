// What an evaluation leaves in its folder (docs/evaluation.md).
#pragma once

#include <filesystem>

#include "evaluation/dataset_captions.hpp"

namespace patchioner {

/// The folder's files by what they hold.
struct EvaluationFiles {
  explicit EvaluationFiles(const std::filesystem::path& folder);

  std::filesystem::path config;   ///< config.yaml: the resolved document
  std::filesystem::path records;  ///< records.jsonl: captions image by image, grows while the work goes on
  std::filesystem::path predictions;       ///< predictions.json: COCO results
  std::filesystem::path task_predictions;  ///< predictions_task.json: as the paper's public code writes them
  std::filesystem::path items;             ///< items.jsonl: scores of each caption
  std::filesystem::path metrics;           ///< metrics.json
  std::filesystem::path table;             ///< metrics.csv
  std::filesystem::path page;              ///< index.html
};

/// COCO results (docs/formats/coco_results.md): {"image_id", "file_name", "caption", "score"} with "bbox" of
/// boxes and the region in its JSON form of others. Both throw an Error of kind io when the file cannot be
/// written.
void write_coco_results(const Dataset& dataset, const DatasetPredictions& predictions,
                        const std::filesystem::path& file);

/// The file that the paper's public code writes for the data set's task (spec/01 sections 7 to 10); nothing
/// for tasks that it has none of.
void write_task_predictions(const Dataset& dataset, const DatasetPredictions& predictions,
                            const std::filesystem::path& file);

}  // namespace patchioner
