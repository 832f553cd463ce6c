// Captions held against references by every metric that was asked for: what `score` and `eval` share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/prediction_files.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/dense_report.hpp"
#include "metrics/score_items.hpp"
#include "scoring/scoring_options.hpp"

namespace patchioner {

/// What came out.
struct ScoreReport {
  std::string task;  ///< of the references, "dense", or "lists" for predictions that carry their own
  size_t items = 0;  ///< captions, or detections, that were scored
  std::vector<CaptionScores>
      metrics;  ///< in the order asked for; `segments` is empty where an item has no value
  PairingCounts counts;
  std::vector<std::string> notes;  ///< what whoever reads the numbers must know: sentences, each once
  std::optional<DenseReport> boxes;
  std::optional<DenseScores> dense;
  std::vector<CaptionScores> spice_categories;  ///< Object to Size; empty without SPICE
  /// A line an item, in the order of the predictions: "id", "file_name", "caption", "references" and each
  /// metric's value (docs/evaluation.md).
  std::vector<nlohmann::ordered_json> lines;
  std::vector<size_t> line_predictions;  ///< of each line, its place among Predictions::items

  void note(const std::string& sentence);
};

/// What is scored. `references` is null for predictions that carry their own.
struct ScoringInput {
  const Predictions* predictions = nullptr;
  const Dataset* references = nullptr;
  PairingOptions pairing;
  bool is_dense = false;  ///< boxes and captions together: `map` makes sense
  std::vector<std::filesystem::path>
      image_folders;  ///< for CLIP-S and PAC-S, beside where the references found them
};

/// Every metric that may be asked for.
const std::vector<std::string>& metric_names();

/// Throws an Error of kind usage for a metric that is not known or asked for twice.
void check_metric_names(const std::vector<std::string>& metrics);

/// Those of a task where none are asked for: map and detmap of dense captions, BLEU to SPICE of all others,
/// and of both CLIP-S and PAC-S as far as `options` names their models.
std::vector<std::string> default_metrics(bool is_dense, const ScoringOptions& options);

/// The metrics that score_predictions will give, which can be asked before there are predictions: those of
/// the options, or by default those of the task. Throws an Error of kind usage as it does.
std::vector<std::string> metrics_to_score(bool is_dense, const ScoringOptions& options);

/// Throws Error: usage for a metric that is not known, asked for twice, not of this task, or without the
/// model that it needs; data, with places, when predictions and references do not fit (score_items,
/// dense_items); and what metrics throw. [any-thread]
ScoreReport score_predictions(const ScoringInput& input, const ScoringOptions& options);

/// The report as metrics.json holds it: "task", "items", counts, "options", "metrics", "std" (population
/// standard deviations of the items' values), "boxes" of dense captions, "notes".
nlohmann::ordered_json to_json(const ScoreReport& report, const ScoringOptions& options);

/// One line a metric; `x100` as papers print them.
std::string score_table(const ScoreReport& report, bool x100);

/// Two lines of CSV, names and values in the order of papers' tables: fractions; of region sets and traces as
/// the reference writes them, rounded to three digits and times 100 (spec/05 section 12).
std::string score_csv(const ScoreReport& report);

}  // namespace patchioner
