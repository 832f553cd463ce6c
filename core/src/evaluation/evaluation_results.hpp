// From the captions of a data set to the files of results, for whoever has made them.
#pragma once

#include <filesystem>

#include "evaluation/evaluation_files.hpp"
#include "evaluation/evaluation_report.hpp"
#include "runtime/captioner.hpp"

namespace patchioner {

/// What can be known before the work, of one data set: throws Error data, naming them, for images that were
/// not found and regions without references (unless failures are left out); and what check_scoring and
/// check_ordering throw. Returns the scoring with the metrics that will be asked for.
ScoringOptions check_evaluation(const Evaluation& evaluation, const Dataset& dataset);

/// Throws an Error of kind data when something has no caption and `failures` is refuse, or when nothing has
/// one; a warning otherwise.
void check_failures(const Evaluation& evaluation, const CaptionCounts& counts);

/// What results are made of.
struct CaptionedDataset {
  const Dataset& dataset;
  size_t all_images = 0;  ///< of the data set before `evaluate.limit`
  const DatasetCaptions& captions;
  const Captioner* captioner = nullptr;  ///< that shows what it looked at on the page; null: no page
  ScoringMemory* memory = nullptr;       ///< of what else is scored by the same models; null: of nothing
};

/// Scores the captions and writes predictions, scores of items, table, page and metrics.json, this one last.
/// `result` holds settings, counts and scoring, and gets the rest. Returns what metrics.json holds. Throws
/// what scoring and writing throw.
nlohmann::ordered_json write_results(const Evaluation& evaluation, const CaptionedDataset& captioned,
                                     const EvaluationFiles& files, EvaluationResult& result);

}  // namespace patchioner
