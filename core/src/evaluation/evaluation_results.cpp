#include "evaluation/evaluation_results.hpp"

#include <fmt/ranges.h>

#include <chrono>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/dataset_reading.hpp"
#include "data/json_text.hpp"
#include "evaluation/evaluation_gallery.hpp"
#include "support/files.hpp"
#include "support/printable.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

bool is_dense(const Dataset& dataset) {
  return dataset.task() == DatasetTask::dense;
}

PairingOptions pairing(const Evaluation& evaluation) {
  PairingOptions options;
  options.intersection = evaluation.leaves_out();
  options.leave_out = "evaluate.failures=leave_out";
  return options;
}

void check_images_and_references(const Evaluation& evaluation, const Dataset& dataset) {
  PairingCounts ignored;
  check_reading(dataset, pairing(evaluation), ignored);
  const size_t size = dataset.size();
  std::vector<std::string> missing;
  std::vector<std::string> unreferenced;
  for (size_t i = 0; i < size; ++i) {
    const DatasetImage image = dataset.image(i);
    if (image.path.empty()) {
      missing.push_back(image.file_name);
    }
    for (size_t j = 0; j < image.regions.size(); ++j) {
      if (image.regions[j].references.empty()) {
        unreferenced.push_back(fmt::format("image {}, region {}", id_text(image.id), j + 1));
      }
    }
  }
  constexpr const char* kOrLeaveOut = ", or score the rest by evaluate.failures=leave_out";
  if (!missing.empty() && (!evaluation.leaves_out() || missing.size() == size)) {
    throw Error(ErrorKind::data,
                "{}: {} of {} images are in none of the folders of dataset.images: {}; name their folder{}",
                evaluation.name(), missing.size(), size, some_names(missing),
                missing.size() == size ? "" : kOrLeaveOut);
  }
  if (!unreferenced.empty() && !evaluation.leaves_out()) {
    throw Error(ErrorKind::data,
                "{}: {} of {} regions have no references: {}; name captions by dataset.references{}",
                evaluation.name(), unreferenced.size(), dataset.region_count(), some_names(unreferenced),
                unreferenced.size() == dataset.region_count() ? "" : kOrLeaveOut);
  }
}

/// Of dense captions also what is said of the boxes is scored by default: every true box has its caption
/// here.
ScoringOptions scoring_of(const Evaluation& evaluation, const Dataset& dataset) {
  ScoringOptions scoring = evaluation.scoring;
  if (scoring.metrics.empty() && is_dense(dataset)) {
    scoring.metrics = default_metrics(true, scoring);
    for (const std::string& metric : default_metrics(false, {})) {
      scoring.metrics.push_back(metric);
    }
  }
  return scoring;
}

/// The line's place in the data set: image and region, from 0.
void add_places(ScoreReport& report, const DatasetPredictions& predictions) {
  for (size_t i = 0; i < report.lines.size(); ++i) {
    const RegionPlace& place = predictions.places[report.line_predictions[i]];
    report.lines[i]["place"] = fmt::format("{}.{}", place.image, place.region);
  }
}

}  // namespace

ScoringOptions check_evaluation(const Evaluation& evaluation, const Dataset& dataset) {
  check_images_and_references(evaluation, dataset);
  ScoringOptions scoring = scoring_of(evaluation, dataset);
  check_scoring(dataset, is_dense(dataset), scoring);
  check_ordering(evaluation.options,
                 scoring.metrics.empty() ? default_metrics(false, scoring) : scoring.metrics);
  return scoring;
}

void check_failures(const Evaluation& evaluation, const CaptionCounts& counts) {
  if (counts.failed == 0) {
    return;
  }
  const std::string sentence =
      fmt::format("{} of {} regions have no caption: {}{}", counts.failed, counts.regions,
                  fmt::join(counts.failures, "; "), counts.failed > counts.failures.size() ? " ..." : "");
  if (!evaluation.leaves_out() || counts.failed == counts.regions) {
    throw Error(ErrorKind::data, "{}: {}. The same command tries these again{}", evaluation.name(), sentence,
                counts.failed == counts.regions ? "" : "; evaluate.failures=leave_out scores the rest");
  }
  log(LogLevel::warning, "{}: {}", evaluation.name(), printable(sentence));
}

Json write_results(const Evaluation& evaluation, const CaptionedDataset& captioned,
                   const EvaluationFiles& files, EvaluationResult& result) {
  const Dataset& dataset = captioned.dataset;
  const DatasetCaptions& captions = captioned.captions;
  const DatasetPredictions predictions =
      predictions_of(dataset, captions, evaluation.name(),
                     evaluation.options.confidence == "one" ? std::optional<double>(1.0) : std::nullopt);
  write_coco_results(dataset, predictions, files.predictions);
  if (captions.counts.failed == 0) {
    write_task_predictions(dataset, predictions, files.task_predictions);
  }
  const auto start = std::chrono::steady_clock::now();
  ScoringInput input;
  input.predictions = &predictions.predictions;
  input.references = &dataset;
  input.pairing = pairing(evaluation);
  input.is_dense = is_dense(dataset);
  input.orientation = evaluation.orientation();
  input.device = evaluation.runtime.device == "auto" ? "" : evaluation.runtime.device;
  input.memory = captioned.memory;
  result.scores = score_predictions(input, result.scoring);
  add_places(result.scores, predictions);
  if (dataset.size() < captioned.all_images) {
    result.scores.note(
        fmt::format("only the first {} of {} images (evaluate.limit)", dataset.size(), captioned.all_images));
  }
  AtomicFile items(files.items);
  for (const Json& line : result.scores.lines) {
    items.write(json_text(line) + "\n");
  }
  items.commit();
  write_file(files.table, score_csv(result.scores));
  result.scoring_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (captioned.captioner != nullptr) {
    write_evaluation_page(evaluation, dataset, *captioned.captioner, predictions, result.scores, files.page);
  }
  constexpr int kIndent = 2;
  Json metrics = metrics_json(evaluation, dataset, result);
  write_file(files.metrics, json_text(metrics, kIndent) + "\n");
  return metrics;
}

}  // namespace patchioner
