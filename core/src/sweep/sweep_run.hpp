// Runs a plan: stage by stage, alone or beside other processes on the same folders.
#pragma once

#include <string>
#include <vector>

#include "sweep/sweep_plan.hpp"

namespace patchioner {

struct SweepRunOptions {
  std::vector<size_t> runs;  ///< places in SweepPlan::runs
  bool fail_fast = false;    ///< the first failure ends the sweep
};

struct SweepOutcome {
  bool finished = false;         ///< false after an interrupt, or after a failure when that ends the sweep
  std::vector<size_t> needed;    ///< places of the stages that the cache did not hold at the beginning
  std::vector<size_t> computed;  ///< those that this process has computed, in their order
  std::vector<size_t> failed;    ///< places of runs
  size_t published = 0;          ///< runs whose results are in their folders
  double seconds = 0;
};

/// The runs whose folders say that they have failed.
std::vector<size_t> failed_runs(const SweepPlan& plan);

/// Computes what the cache does not hold, publishes each run as soon as its scores are there, and shows
/// progress. What fails is noted in the folders of the runs that need it, with a log, and the others go on;
/// runs with something missing are noted as failed. A full disk ends the sweep: throws the Error of kind io.
/// After an interrupt the same call goes on.
SweepOutcome run_sweep(const SweepPlan& plan, SweepHost& host, StageCache& cache,
                       const SweepRunOptions& options);

}  // namespace patchioner
