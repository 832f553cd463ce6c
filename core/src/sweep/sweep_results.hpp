// The table of a sweep from the folders of its runs, and all that is written of it.
#pragma once

#include <nlohmann/json.hpp>

#include "results/result_table.hpp"
#include "sweep/sweep_run.hpp"

namespace patchioner {

struct SweepResults {
  ResultTable table;
  std::vector<RunScores> runs;  ///< parallel to SweepPlan::runs
};

struct SweepResultOptions {
  bool against_paper = false;  ///< the paper's numbers beside ours
  bool intervals = true;
  int64_t examples = 8;  ///< images of each kind on the page, a data set
};

/// The table without numbers: rows, labels and columns as the file has them, or else all metrics that
/// finished runs have.
ResultTable empty_table(const SweepPlan& plan, const std::vector<RunScores>& runs);

/// What --against paper can be wrong about, before there are numbers. Throws Error: usage when the sweep
/// names no table of the paper, config as PaperTables::value.
void check_against_paper(const SweepPlan& plan);

/// Reads the folders of the plan's runs and fills the table. Throws an Error of kind usage when the paper is
/// asked for and the sweep names no table of it, and as fill_table and add_paper_numbers.
SweepResults read_sweep_results(const SweepPlan& plan, const SweepResultOptions& options);

/// Writes the table as text, CSV, Markdown and LaTeX, the page, and what trackers import, into the sweep's
/// folder. Throws an Error of kind io.
void write_sweep_results(const SweepPlan& plan, const SweepResults& results,
                         const SweepResultOptions& options);

/// {"sweep", "output", "finished", "stages": {"encode": {"needed", "computed"} ...}, "seconds", "runs":
/// [{"row", "dataset", "status", "folder", "metrics", "failure"?, "log"?}]}
nlohmann::ordered_json to_json(const SweepPlan& plan, const SweepResults& results,
                               const SweepOutcome& outcome);

}  // namespace patchioner
