#include "sweep/run_folder.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "data/json_text.hpp"
#include "evaluation/evaluation_files.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"
#include "sweep/part_work.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kStatusFile = "run.json";

std::string score_digest(const SweepPlan& plan, const PlannedRun& run) {
  return run.stages.empty() ? "" : plan.stages[run.stages.back()].key.digest;
}

Json files_of(const PlannedRun& run) {
  Json files = Json::object();
  for (const NamedFile& file : run.evaluation->settings.files) {
    files[file.path] = file.digest;
  }
  return files;
}

Json status_json(const SweepPlan& plan, const PlannedRun& run, const char* status) {
  return {{"status", status},
          {"sweep", plan.sweep.name},
          {"row", plan.sweep.rows[run.row].name},
          {"dataset", plan.sweep.datasets[run.dataset].name},
          {"score", score_digest(plan, run)},
          {"files", files_of(run)}};
}

Json stages_json(const SweepPlan& plan, const PlannedRun& run, const StageCache& cache) {
  Json stages = Json::array();
  for (const size_t place : run.stages) {
    const PlannedStage& stage = plan.stages[place];
    Json one = {
        {"stage", to_string(stage.key.stage)}, {"digest", stage.key.digest}, {"plugin", stage.plugin}};
    if (const auto entry = cache.open(stage.key); entry != nullptr) {
      one["seconds"] = entry->seconds() * share_of(run, stage);
    }
    stages.push_back(std::move(one));
  }
  return stages;
}

/// One process at a time publishes in a sweep's folder.
class PublishLock {
 public:
  explicit PublishLock(const SweepPlan& plan) {
    const fs::path file = fs::path(plan.sweep.output) / ".publish";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      throw Error(ErrorKind::io, "{}: cannot be locked: {}", file.string(), std::strerror(errno));
    }
  }
  ~PublishLock() { ::close(descriptor_); }
  PublishLock(const PublishLock&) = delete;
  PublishLock& operator=(const PublishLock&) = delete;

 private:
  int descriptor_ = -1;
};

void remove_results(const fs::path& folder) {
  const EvaluationFiles files(folder);
  std::error_code absent;
  for (const fs::path& file : {fs::path(folder / kStatusFile), files.config, files.predictions,
                               files.task_predictions, files.items, files.metrics, files.table, files.page}) {
    remove_abandoned_parts(file);
    fs::remove(file, absent);
  }
}

void write_json_file(const fs::path& file, const Json& json) {
  constexpr int kIndent = 2;
  write_file(file, json_text(json, kIndent) + "\n");
}

}  // namespace

std::optional<RunStatus> read_run_status(const fs::path& folder) {
  std::error_code unreadable;
  if (!fs::exists(folder / kStatusFile, unreadable)) {
    return std::nullopt;
  }
  try {
    const Json json = Json::parse(read_file(folder / kStatusFile));
    RunStatus status;
    status.finished = json.value("status", "") == "finished";
    status.score = json.value("score", "");
    status.failure = json.value("failure", "");
    status.log = json.value("log", "");
    status.files = json.value("files", Json::object());
    return status;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool is_published(const SweepPlan& plan, const PlannedRun& run) {
  const std::optional<RunStatus> status = read_run_status(run.folder);
  return status && status->finished && status->score == score_digest(plan, run);
}

void publish_run(const SweepPlan& plan, const PlannedRun& run, const StageCache& cache) {
  const std::shared_ptr<const StageEntry> entry = open_finished(cache, plan.stages[run.stages.back()].key);
  make_folder(run.folder);
  const PublishLock lock(plan);
  if (is_published(plan, run)) {
    return;  // another process was quicker
  }
  remove_results(run.folder);
  for (const std::string& part : entry->parts()) {
    write_file(run.folder / part, read_file(entry->part(part)));
  }
  write_file(EvaluationFiles(run.folder).config, write_yaml(run.evaluation->config));
  Json json = status_json(plan, run, "finished");
  json["stages"] = stages_json(plan, run, cache);
  write_json_file(run.folder / kStatusFile, json);
}

void publish_failure(const SweepPlan& plan, const PlannedRun& run, const std::string& failure,
                     const fs::path& log) {
  make_folder(run.folder);
  const PublishLock lock(plan);
  if (is_published(plan, run)) {
    return;
  }
  remove_results(run.folder);
  write_file(EvaluationFiles(run.folder).config, write_yaml(run.evaluation->config));
  Json json = status_json(plan, run, "failed");
  json["failure"] = failure;
  json["log"] = log.string();
  write_json_file(run.folder / kStatusFile, json);
}

std::vector<std::string> changed_files(const PlannedRun& run) {
  std::vector<std::string> changed;
  const std::optional<RunStatus> status = read_run_status(run.folder);
  if (!status || !status->finished) {
    return changed;
  }
  for (const NamedFile& file : run.evaluation->settings.files) {
    const auto before = status->files.find(file.path);
    if (before != status->files.end() && *before != file.digest) {
      changed.push_back(file.path);
    }
  }
  return changed;
}

RunScores scores_of(const SweepPlan& plan, const PlannedRun& run) {
  RunScores scores;
  const std::optional<RunStatus> status = read_run_status(run.folder);
  const bool is_of_plan = status && status->score == score_digest(plan, run);
  if (is_of_plan && status->finished) {
    scores = read_run_scores(run.folder);
  } else if (is_of_plan) {
    scores.failure = status->failure;
    scores.log = status->log;
  }
  if (!scores.finished && scores.failure.empty() && !run.missing.empty()) {
    scores.failure = fmt::format("not there: {}", fmt::join(run.missing, "; "));
  }
  scores.row = plan.sweep.rows[run.row].name;
  scores.dataset = plan.sweep.datasets[run.dataset].name;
  scores.folder = run.folder;
  return scores;
}

}  // namespace patchioner
