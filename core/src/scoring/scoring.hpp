// Captions held against references by every metric that was asked for: what `score` and `eval` share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/prediction_files.hpp"
#include "image/image.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/dense_report.hpp"
#include "metrics/score_items.hpp"
#include "scoring/metric_choice.hpp"
#include "scoring/scoring_memory.hpp"
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
  std::optional<ExifOrientation> orientation;  ///< of the images that metrics looked at; none: they did not
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
  ExifOrientation orientation = ExifOrientation::ignore;  ///< of these images
  std::string device;  ///< where the models of CLIP-S and PAC-S compute, as `runtime.device` says it; empty:
                       ///< as their configs say
  ScoringMemory* memory = nullptr;  ///< of what else is scored by the same models; null: of nothing
};

/// What can be known before there are predictions, for whoever makes them by long work. Throws as
/// score_predictions would for: metrics that are not known, asked for twice, not of this task, or without the
/// model that they need; regions that metrics asked for cannot be shown, and images when `references` found
/// none; models, and the files of METEOR, CIDEr and SPICE, that are not there or of no right form; a Java
/// that SPICE cannot run in. Models are found, not loaded. [any-thread]
void check_scoring(const Dataset& references, bool is_dense, const ScoringOptions& options);

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
