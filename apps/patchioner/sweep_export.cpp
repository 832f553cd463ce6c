// patchioner sweep export and collect: a sweep for other runners, and its table from what they leave.
#include "sweep/sweep_export.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/json_text.hpp"
#include "results/result_table.hpp"
#include "sweep.hpp"
#include "sweep/sweep_results.hpp"

namespace patchioner {
namespace {

struct ExportArguments {
  SweepArguments sweep;
  std::string folder;
};

void run_export(const ExportArguments& arguments, const std::filesystem::path& program) {
  const PlannedSweep planned = plan_of(arguments.sweep);
  const SweepExport written =
      export_sweep(planned.plan, program, std::filesystem::absolute(arguments.folder));
  if (!planned.plan.missing.empty()) {
    log(LogLevel::warning, "{}", missing_text(planned.plan));
  }
  fmt::print("{} configs in {}\n{}\n{}\n{}\n", written.configs.size(),
             written.configs.front().parent_path().string(), written.shell.string(), written.slurm.string(),
             written.makefile.string());
}

void run_collect(const ExportArguments& arguments) {
  const PlannedSweep planned = plan_of(arguments.sweep);
  const SweepPlan& plan = planned.plan;
  SweepResults results;
  size_t absent = 0;
  for (const PlannedRun& run : plan.runs) {
    RunScores scores;
    const std::filesystem::path folder =
        exported_results(plan, run, std::filesystem::absolute(arguments.folder));
    std::error_code unreadable;
    if (std::filesystem::exists(folder / "metrics.json", unreadable)) {
      scores = read_run_scores(folder);
    } else {
      ++absent;
    }
    scores.row = plan.sweep.rows[run.row].name;
    scores.dataset = plan.sweep.datasets[run.dataset].name;
    scores.folder = folder;
    results.runs.push_back(std::move(scores));
  }
  results.table = empty_table(plan, results.runs);
  TableOptions options;
  options.resamples = plan.sweep.resamples;
  fill_table(results.table, results.runs, options);
  fmt::print("{}", table_text(results.table));
  if (absent > 0) {
    log(LogLevel::warning, "{}: {} of {} runs have no results yet", arguments.folder, absent,
        plan.runs.size());
  }
}

}  // namespace

void add_sweep_export(CLI::App& command, const CommandLine& line) {
  CLI::App* exported = command.add_subcommand(
      "export",
      "Write each run as a config that stands alone, with a shell script, a SLURM array and a Makefile");
  auto arguments = std::make_shared<ExportArguments>();
  add_sweep_arguments(*exported, arguments->sweep, /*required=*/true);
  exported
      ->add_option("--to", arguments->folder, "The folder; configs, scripts and later the results lie in it")
      ->required();
  exported->footer(
      "Example:\n"
      "  patchioner sweep export sweep/emoji_small --to jobs && make -C jobs -j2\n"
      "  patchioner sweep collect sweep/emoji_small --from jobs");
  exported->callback([arguments, &line] { run_export(*arguments, line.program); });
}

void add_sweep_collect(CLI::App& command) {
  CLI::App* collect =
      command.add_subcommand("collect", "Print the table of the runs that an export's scripts have made");
  auto arguments = std::make_shared<ExportArguments>();
  add_sweep_arguments(*collect, arguments->sweep, /*required=*/true);
  collect->add_option("--from", arguments->folder, "The folder that the sweep was exported to")->required();
  collect->footer("Example:\n  patchioner sweep collect sweep/emoji_small --from jobs");
  collect->callback([arguments] { run_collect(*arguments); });
}

}  // namespace patchioner
