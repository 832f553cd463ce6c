#include "evaluation/evaluation_run.hpp"

#include <fmt/ranges.h>

#include <chrono>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "config/config.hpp"
#include "data/dataset_reading.hpp"
#include "data/json_text.hpp"
#include "data/region_json.hpp"
#include "evaluation/evaluation_files.hpp"
#include "evaluation/evaluation_gallery.hpp"
#include "support/file_lock.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kVersion = "evaluation 1";  // of what a record means; another one cannot be resumed

/// What decides which regions there are, of which images and in which order, wherever it was read from.
std::string regions_digest(const Dataset& dataset) {
  std::string text;
  for (size_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    text += json_text(image.id) + " " + image.file_name;
    for (const DatasetRegion& region : image.regions) {
      text += " " + json_text(region_to_json({region.shape, {}}));
    }
    text = sha256(text);  // bounded, whatever the size of the data set
  }
  return text;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Run {
 public:
  Run(const Evaluation& evaluation, const Captioner& captioner)
      : evaluation_(evaluation),
        captioner_(captioner),
        folder_(fs::path(evaluation.options.output) / evaluation.name()),
        files_(folder_) {}

  EvaluationOutcome run(bool restart) {
    EvaluationOutcome outcome;
    outcome.folder = folder_;
    Dataset dataset = Dataset::open(evaluation_.dataset.options);
    for (const std::string& line : dataset.problems().summary()) {
      log(LogLevel::warning, "{}: {}", evaluation_.name(), printable(line));
    }
    const std::string settings = settings_of(dataset);
    const size_t all_images = dataset.size();
    if (evaluation_.options.limit > 0) {
      dataset.keep_first(static_cast<size_t>(evaluation_.options.limit));
    }
    check(dataset);
    EvaluationResult& result = outcome.result;
    result.settings = settings;
    result.scoring = scoring_of(dataset);
    check_scoring(dataset, is_dense(dataset), result.scoring);
    check_ordering(evaluation_.options, result.scoring.metrics.empty()
                                            ? default_metrics(false, result.scoring)
                                            : result.scoring.metrics);
    make_folder(folder_);
    const FileLock lock(
        folder_ / ".lock",
        "another evaluation is at work in this folder; wait for it, or give another evaluate.output");
    check_folder();
    if (restart) {
      std::error_code absent;
      fs::remove(files_.records, absent);
    }
    const std::optional<DatasetCaptions> captions = caption_dataset(dataset, captioner_,
                                                                    {.name = evaluation_.name(),
                                                                     .records = files_.records,
                                                                     .settings = settings,
                                                                     .orientation = evaluation_.orientation(),
                                                                     .begin = [this] { clear_results(); }});
    if (!captions) {
      return outcome;
    }
    result.counts = captions->counts;
    check_failures(captions->counts);
    const DatasetPredictions predictions = predictions_of(dataset, *captions, evaluation_.name());
    write_coco_results(dataset, predictions, files_.predictions);
    if (captions->counts.failed == 0) {
      write_task_predictions(dataset, predictions, files_.task_predictions);
    }
    score(dataset, all_images, predictions, result);
    if (evaluation_.options.examples > 0) {
      write_evaluation_page(evaluation_, dataset, captioner_, predictions, result.scores, files_.page);
    }
    constexpr int kIndent = 2;
    outcome.metrics = metrics_json(evaluation_, dataset, result);
    write_file(files_.metrics, json_text(outcome.metrics, kIndent) + "\n");
    outcome.finished = true;
    return outcome;
  }

 private:
  std::string settings_of(const Dataset& dataset) const {
    constexpr size_t kDigits = 12;
    return sha256(fmt::format("{} {} exif={} {}", kVersion, evaluation_.settings.digest,
                              evaluation_.options.exif, regions_digest(dataset)))
        .substr(0, kDigits);
  }

  /// What can be known before the work is refused before it.
  void check(const Dataset& dataset) const {
    PairingCounts ignored;
    check_reading(dataset, pairing(), ignored);
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
    if (!missing.empty() && (!evaluation_.leaves_out() || missing.size() == size)) {
      throw Error(ErrorKind::data,
                  "{}: {} of {} images are in none of the folders of dataset.images: {}; name their folder{}",
                  evaluation_.name(), missing.size(), size, some_names(missing),
                  missing.size() == size ? "" : kOrLeaveOut);
    }
    if (!unreferenced.empty() && !evaluation_.leaves_out()) {
      throw Error(ErrorKind::data,
                  "{}: {} of {} regions have no references: {}; name captions by dataset.references{}",
                  evaluation_.name(), unreferenced.size(), dataset.region_count(), some_names(unreferenced),
                  unreferenced.size() == dataset.region_count() ? "" : kOrLeaveOut);
    }
  }

  void check_folder() const {
    std::error_code unreadable;
    if (fs::exists(files_.config, unreadable) && read_yaml(files_.config).find("evaluate") == nullptr) {
      throw Error(
          ErrorKind::usage,
          "{}: is not the config of an evaluation, and would be replaced; give another evaluate.output",
          files_.config.string());
    }
  }

  /// Takes away what earlier calls made of their records, so that nothing stands beside what it does not
  /// belong to.
  void clear_results() const {
    std::error_code absent;
    for (const fs::path& file : {files_.predictions, files_.task_predictions, files_.items, files_.metrics,
                                 files_.table, files_.page}) {
      remove_abandoned_parts(file);
      fs::remove(file, absent);
    }
    write_file(files_.config, write_yaml(evaluation_.config));
  }

  void check_failures(const CaptionCounts& counts) const {
    if (counts.failed == 0) {
      return;
    }
    const std::string sentence =
        fmt::format("{} of {} regions have no caption: {}{}", counts.failed, counts.regions,
                    fmt::join(counts.failures, "; "), counts.failed > counts.failures.size() ? " ..." : "");
    if (!evaluation_.leaves_out() || counts.failed == counts.regions) {
      throw Error(ErrorKind::data, "{}: {}. The same command tries these again{}", evaluation_.name(),
                  sentence,
                  counts.failed == counts.regions ? "" : "; evaluate.failures=leave_out scores the rest");
    }
    log(LogLevel::warning, "{}: {}", evaluation_.name(), printable(sentence));
  }

  static bool is_dense(const Dataset& dataset) { return dataset.task() == DatasetTask::dense; }

  /// Of dense captions also what is said of the boxes is scored by default: every true box has its caption
  /// here.
  ScoringOptions scoring_of(const Dataset& dataset) const {
    ScoringOptions scoring = evaluation_.scoring;
    if (scoring.metrics.empty() && is_dense(dataset)) {
      scoring.metrics = default_metrics(true, scoring);
      for (const std::string& metric : default_metrics(false, {})) {
        scoring.metrics.push_back(metric);
      }
    }
    return scoring;
  }

  PairingOptions pairing() const {
    PairingOptions options;
    options.intersection = evaluation_.leaves_out();
    options.leave_out = "evaluate.failures=leave_out";
    return options;
  }

  void score(const Dataset& dataset, size_t all_images, const DatasetPredictions& predictions,
             EvaluationResult& result) const {
    const auto start = std::chrono::steady_clock::now();
    ScoringInput input;
    input.predictions = &predictions.predictions;
    input.references = &dataset;
    input.pairing = pairing();
    input.is_dense = is_dense(dataset);
    input.orientation = evaluation_.orientation();
    result.scores = score_predictions(input, result.scoring);
    if (dataset.size() < all_images) {
      result.scores.note(
          fmt::format("only the first {} of {} images (evaluate.limit)", dataset.size(), all_images));
    }
    AtomicFile items(files_.items);
    for (const Json& line : result.scores.lines) {
      items.write(json_text(line) + "\n");
    }
    items.commit();
    write_file(files_.table, score_csv(result.scores));
    result.scoring_seconds = seconds_since(start);
  }

  const Evaluation& evaluation_;
  const Captioner& captioner_;
  fs::path folder_;
  EvaluationFiles files_;
};

}  // namespace

EvaluationOutcome run_evaluation(const Evaluation& evaluation, const Captioner& captioner, bool restart) {
  return Run(evaluation, captioner).run(restart);
}

}  // namespace patchioner
