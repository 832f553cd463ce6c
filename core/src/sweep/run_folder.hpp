// The folder of one run: results as `eval` leaves them, and run.json, which says how they came about.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "results/run_scores.hpp"
#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// What run.json says.
struct RunStatus {
  bool finished = false;
  std::string score;    ///< the digest of the stage `score` that the results are of
  std::string failure;  ///< a sentence, of failed ones
  std::string log;
  nlohmann::ordered_json files;  ///< digests of the plugins' files, by path
};

/// nullopt when there is no run.json, or none that can be read.
std::optional<RunStatus> read_run_status(const std::filesystem::path& folder);

/// Whether the folder holds the results that the plan asks for.
bool is_published(const SweepPlan& plan, const PlannedRun& run);

/// Fills the run's folder from the finished stage `score`; run.json comes last. Throws DamagedEntry, and
/// Error of kind io.
void publish_run(const SweepPlan& plan, const PlannedRun& run, const StageCache& cache);

/// Notes why there are no results, and takes those of other settings away.
void publish_failure(const SweepPlan& plan, const PlannedRun& run, const std::string& failure,
                     const std::filesystem::path& log);

/// The files of the run whose content is not what it was when the results in its folder were made.
std::vector<std::string> changed_files(const PlannedRun& run);

/// What a run has come to, by its folder; of the plan's row and data set.
RunScores scores_of(const SweepPlan& plan, const PlannedRun& run);

}  // namespace patchioner
