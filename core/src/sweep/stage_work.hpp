// The work of each stage: reads what the stages before have left in the cache and leaves its own.
#pragma once

#include <functional>

#include "scoring/scoring_memory.hpp"
#include "sweep/plugin_pool.hpp"
#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// How the work on a stage ended.
enum class StageEnd {
  done,
  interrupted,  ///< parts that are whole stay; the next one goes on
  lost,         ///< another process has taken it over
};

struct StageWork {
  const SweepPlan& plan;
  const PlannedStage& stage;
  StageCache& cache;
  StageLease& lease;
  PluginPool& plugins;
  ScoringMemory& scoring;
  std::function<void(size_t done)> progress;  ///< hears how much of PlannedStage::amount is done

  const PlannedRun& run() const { return plan.runs[stage.run]; }
};

/// The part of a stage's time that is the run's own, in [0,1]: of an encoding that of its images.
double share_of(const PlannedRun& run, const PlannedStage& stage);

/// Computes the stage. Throws DamagedEntry when what it reads is damaged, and whatever plugins, data and disk
/// throw.
StageEnd work_on(const StageWork& work);

// One each; work_on chooses.
StageEnd encode_images(const StageWork& work);
StageEnd encode_regions(const StageWork& work);
StageEnd aggregate_regions(const StageWork& work);
StageEnd bridge_vectors(const StageWork& work);
StageEnd decode_vectors(const StageWork& work);
StageEnd score_captions(const StageWork& work);

}  // namespace patchioner
