#include "evaluation/evaluation_run.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "config/config.hpp"
#include "evaluation/dataset_digest.hpp"
#include "evaluation/evaluation_files.hpp"
#include "evaluation/evaluation_results.hpp"
#include "support/file_lock.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVersion = "evaluation 1";  // of what a record means; another one cannot be resumed

class Run {
 public:
  Run(const Evaluation& evaluation, const Captioner& captioner, ScoringMemory* memory)
      : evaluation_(evaluation),
        captioner_(captioner),
        memory_(memory),
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
    EvaluationResult& result = outcome.result;
    result.settings = settings;
    result.scoring = check_evaluation(evaluation_, dataset);
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
    check_failures(evaluation_, captions->counts);
    outcome.metrics = write_results(evaluation_,
                                    {.dataset = dataset,
                                     .all_images = all_images,
                                     .captions = *captions,
                                     .captioner = evaluation_.options.examples > 0 ? &captioner_ : nullptr,
                                     .memory = memory_},
                                    files_, result);
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

  const Evaluation& evaluation_;
  const Captioner& captioner_;
  ScoringMemory* memory_;
  fs::path folder_;
  EvaluationFiles files_;
};

}  // namespace

EvaluationOutcome run_evaluation(const Evaluation& evaluation, const Captioner& captioner, bool restart,
                                 ScoringMemory* memory) {
  return Run(evaluation, captioner, memory).run(restart);
}

}  // namespace patchioner
