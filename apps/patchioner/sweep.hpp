// What the subcommands of `sweep` share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// Which sweep is meant, and where its results and stages lie.
struct SweepArguments {
  std::string file;
  std::vector<std::string> overrides;
  std::string output;
  std::string cache;
};

/// The positionals FILE and OVERRIDE, and the options that say where things lie.
void add_sweep_arguments(CLI::App& command, SweepArguments& arguments, bool required);

/// A sweep as it is planned, with what it was planned with.
struct PlannedSweep {
  std::unique_ptr<StageCache> cache;  ///< where it was asked for
  std::unique_ptr<SweepHost> host;
  SweepPlan plan;
};

/// Reads and plans the sweep; `keeps` opens its cache first, so that digests of files are remembered there.
/// Throws as read_sweep, cache_of and plan_sweep.
PlannedSweep plan_of(const SweepArguments& arguments, bool keeps = false);

/// The cache that the sweep names. Throws as StageCache, and Error of kind usage for a limit that is none.
std::unique_ptr<StageCache> cache_of(const Sweep& sweep);

/// What is not there, all at once, with what to do about it; empty when nothing is missing.
std::string missing_text(const SweepPlan& plan);

/// Rows, stages, what is shared and cached, and what it will cost.
std::string plan_text(const SweepPlan& plan, const StageCache& cache);

void add_sweep_plan(CLI::App& command);
void add_sweep_compare(CLI::App& command);
void add_sweep_export(CLI::App& command, const CommandLine& line);
void add_sweep_collect(CLI::App& command);

}  // namespace patchioner
