// A sweep for other runners: each run as a config that stands alone, and scripts that run them all.
#pragma once

#include <filesystem>

#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// What was written.
struct SweepExport {
  std::vector<std::filesystem::path> configs;  ///< parallel to SweepPlan::runs
  std::filesystem::path shell;                 ///< run.sh: one after the other
  std::filesystem::path slurm;                 ///< slurm.sh: an array, a task a run
  std::filesystem::path makefile;              ///< Makefile: as many at once as `make -j` says
};

/// Writes configs/<row>--<data set>.yaml, configs.txt and the scripts, each of which calls `patchioner eval`
/// with $PATCHIONER or the given program and leaves results/<row>/<data set>/ in the same folder. Throws
/// Error: usage for a folder that holds other things; io when it cannot be written.
SweepExport export_sweep(const SweepPlan& plan, const std::filesystem::path& program,
                         const std::filesystem::path& folder);

/// Where an exported run leaves its results.
std::filesystem::path exported_results(const SweepPlan& plan, const PlannedRun& run,
                                       const std::filesystem::path& folder);

}  // namespace patchioner
