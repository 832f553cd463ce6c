#include "evaluation/evaluation_run.hpp"

#include <ATen/Parallel.h>
#include <fmt/ranges.h>

#include <chrono>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "config/config.hpp"
#include "data/dataset_reading.hpp"
#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_files.hpp"
#include "evaluation/evaluation_gallery.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/plugin_sections.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kVersion = "evaluation 1";  // of what a record means; another one cannot be resumed

std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// What decides which regions there are and in which order: the content of the files, and the options that
/// choose of them.
std::string dataset_digest(const DatasetOptions& options) {
  std::string text = fmt::format("{} {} {}", to_string(options.format), options.split, options.vg_coco);
  std::vector<fs::path> files = options.files;
  for (const fs::path& more : {options.image_data, options.splits}) {
    if (!more.empty()) {
      files.push_back(more);
    }
  }
  for (const fs::path& file : files) {
    text += "\n" + content_digest(file);
  }
  return sha256(text);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Run {
 public:
  Run(const Evaluation& evaluation, const Captioner& captioner)
      : evaluation_(evaluation),
        captioner_(captioner),
        folder_(fs::path(evaluation.options.output) / evaluation.name),
        files_(folder_) {}

  EvaluationOutcome run(bool restart) {
    EvaluationOutcome outcome;
    outcome.folder = folder_;
    const NamedDataset named = read_dataset_section(evaluation_.config);
    Dataset dataset = Dataset::open(named.options);
    const size_t all_images = dataset.size();
    if (evaluation_.options.limit > 0) {
      dataset.keep_first(static_cast<size_t>(evaluation_.options.limit));
    }
    for (const std::string& line : dataset.problems().summary()) {
      log(LogLevel::warning, "{}: {}", evaluation_.name, printable(line));
    }
    check(dataset);
    const ScoringOptions scoring = scoring_of(dataset);
    metrics_to_score(is_dense(dataset), scoring);
    prepare_folder(restart);
    const std::optional<DatasetCaptions> captions =
        caption_dataset(dataset, captioner_,
                        {.records = files_.records,
                         .settings = evaluation_.settings,
                         .orientation = evaluation_.options.exif == "apply" ? ExifOrientation::apply
                                                                            : ExifOrientation::ignore});
    if (!captions) {
      return outcome;
    }
    outcome.counts = captions->counts;
    check_failures(captions->counts);
    const DatasetPredictions predictions = predictions_of(dataset, *captions, evaluation_.name);
    write_coco_results(dataset, predictions, files_.predictions);
    if (captions->counts.failed == 0) {
      write_task_predictions(dataset, predictions, files_.task_predictions);
    }
    outcome.report = score(dataset, all_images, predictions, captions->counts, scoring);
    if (evaluation_.options.examples > 0) {
      write_evaluation_page(evaluation_, dataset, captioner_, predictions, outcome.report, files_.page);
    }
    outcome.finished = true;
    return outcome;
  }

 private:
  bool leaves_out() const { return evaluation_.options.failures == "leave_out"; }

  /// What can be known before the work is refused before it.
  void check(const Dataset& dataset) const {
    PairingCounts ignored;
    check_reading(dataset, {.intersection = leaves_out()}, ignored);
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
    if (!missing.empty() && (!leaves_out() || missing.size() == size)) {
      throw Error(ErrorKind::data,
                  "{}: {} of {} images are in none of the folders of dataset.images: {}; name their folder{}",
                  evaluation_.name, missing.size(), size, some_names(missing),
                  missing.size() == size ? "" : kOrLeaveOut);
    }
    if (!unreferenced.empty() && !leaves_out()) {
      throw Error(ErrorKind::data,
                  "{}: {} of {} regions have no references: {}; name captions by dataset.references{}",
                  evaluation_.name, unreferenced.size(), dataset.region_count(), some_names(unreferenced),
                  unreferenced.size() == dataset.region_count() ? "" : kOrLeaveOut);
    }
  }

  void prepare_folder(bool restart) const {
    make_folder(folder_);
    for (const fs::path& file : {files_.config, files_.predictions, files_.task_predictions, files_.items,
                                 files_.metrics, files_.table, files_.page}) {
      remove_abandoned_parts(file);
    }
    std::error_code ignored;
    if (restart) {
      fs::remove(files_.records, ignored);
    }
    if (!fs::exists(files_.records, ignored) && fs::exists(files_.config, ignored) && !restart) {
      throw Error(
          ErrorKind::usage,
          "{}: holds a config but no records of an evaluation; give another evaluate.output, or begin anew "
          "with --restart",
          folder_.string());
    }
  }

  void check_failures(const CaptionCounts& counts) const {
    if (counts.failed == 0) {
      return;
    }
    const std::string sentence =
        fmt::format("{} of {} regions have no caption: {}{}", counts.failed, counts.regions,
                    fmt::join(counts.failures, "; "), counts.failed > counts.failures.size() ? " ..." : "");
    if (!leaves_out() || counts.failed == counts.regions) {
      throw Error(ErrorKind::data, "{}: {}. The same command tries these again{}", evaluation_.name, sentence,
                  counts.failed == counts.regions ? "" : "; evaluate.failures=leave_out scores the rest");
    }
    log(LogLevel::warning, "{}: {}", evaluation_.name, printable(sentence));
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

  ScoreReport score(const Dataset& dataset, size_t all_images, const DatasetPredictions& predictions,
                    const CaptionCounts& counts, const ScoringOptions& scoring) const {
    const auto start = std::chrono::steady_clock::now();
    ScoringInput input;
    input.predictions = &predictions.predictions;
    input.references = &dataset;
    input.pairing.intersection = leaves_out();
    input.is_dense = is_dense(dataset);
    ScoreReport report = score_predictions(input, scoring);
    if (dataset.size() < all_images) {
      report.note(fmt::format("only the first {} of {} images (evaluate.limit)", dataset.size(), all_images));
    }
    write_file(files_.config, write_yaml(evaluation_.config));
    AtomicFile items(files_.items);
    for (const Json& line : report.lines) {
      items.write(dumped(line, -1));
    }
    items.commit();
    write_file(files_.table, score_csv(report));
    constexpr int kIndent = 2;
    write_file(files_.metrics,
               dumped(metrics_json(dataset, report, counts, scoring, seconds_since(start)), kIndent));
    return report;
  }

  Json metrics_json(const Dataset& dataset, const ScoreReport& report, const CaptionCounts& counts,
                    const ScoringOptions& scoring, double scoring_seconds) const {
    Json json = {{"name", evaluation_.name}, {"settings", evaluation_.settings}};
    json["chain"] = plugin_chain(evaluation_.config);
    json.update(to_json(report, scoring));
    json["dataset"] = {{"format", to_string(dataset.format())},
                       {"images", dataset.size()},
                       {"regions", dataset.region_count()}};
    json["captioned"] = {{"images", counts.images},
                         {"regions", counts.regions},
                         {"failed", counts.failed},
                         {"warnings", counts.warnings}};
    json["timing"] = {
        {"captioning_seconds", counts.seconds},
        {"images_per_second", counts.seconds > 0 ? static_cast<double>(counts.images) / counts.seconds : 0.0},
        {"regions_per_second",
         counts.seconds > 0 ? static_cast<double>(counts.regions) / counts.seconds : 0.0},
        {"scoring_seconds", scoring_seconds}};
    const RuntimeOptions runtime = read_runtime_options(evaluation_.config);
    json["runtime"] = {{"device", c10::str(plugin_context(runtime).device)},
                       {"precision", runtime.precision},
                       {"threads", at::get_num_threads()},
                       {"batch", runtime.batch}};
    json["files"] = Json::array();
    for (const NamedFile& file : evaluation_.files) {
      json["files"].push_back({{"key", file.key}, {"path", file.path}, {"digest", file.digest}});
    }
    return json;
  }

  const Evaluation& evaluation_;
  const Captioner& captioner_;
  fs::path folder_;
  EvaluationFiles files_;
};

}  // namespace

Evaluation make_evaluation(const Value& written, PluginHost& host) {
  Evaluation evaluation;
  evaluation.config = complete_config(written, host);
  evaluation.config.set("dataset", complete_dataset_section(written));
  evaluation.config.set("score", complete_score_section(written));
  evaluation.config.set("evaluate", complete_evaluate_section(written));
  if (evaluation.config.find("decoder") == nullptr) {
    throw Error(ErrorKind::config,
                "the config has no section 'decoder', so there is nothing to caption with");
  }
  evaluation.options = read_evaluation_options(evaluation.config);
  evaluation.scoring = read_scoring_options(evaluation.config);
  check_metric_names(evaluation.scoring.metrics);
  const NamedDataset dataset = read_dataset_section(evaluation.config);
  evaluation.name = dataset.name;
  evaluation.files = named_files(evaluation.config, host);
  evaluation.settings =
      settings_digest(evaluation.config, evaluation.files,
                      fmt::format("{} exif={} dataset={}", kVersion, evaluation.options.exif,
                                  dataset_digest(dataset.options)));
  return evaluation;
}

EvaluationOutcome run_evaluation(const Evaluation& evaluation, const Captioner& captioner, bool restart) {
  return Run(evaluation, captioner).run(restart);
}

}  // namespace patchioner
