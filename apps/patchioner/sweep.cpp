// patchioner sweep FILE [OVERRIDE...]: a table of configs on data sets from one YAML file.
#include "sweep.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/json_text.hpp"
#include "runtime/runtime_options.hpp"
#include "support/byte_size.hpp"
#include "support/nearest_name.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"
#include "sweep/sweep_file.hpp"
#include "sweep/sweep_folder.hpp"
#include "sweep/sweep_results.hpp"

namespace patchioner {
namespace {

struct RunArguments {
  SweepArguments sweep;
  std::vector<std::string> only;
  std::string against;
  int64_t examples = 8;
  bool keep_going = false;
  bool fail_fast = false;
  bool skip_missing = false;
  bool no_intervals = false;
  bool json = false;
  bool quiet = false;
};

/// The runs that `--only` leaves: those that failed, or those of rows.
std::vector<size_t> chosen_runs(const SweepPlan& plan, const std::vector<std::string>& only) {
  std::vector<size_t> runs;
  if (only.empty()) {
    for (size_t i = 0; i < plan.runs.size(); ++i) {
      runs.push_back(i);
    }
    return runs;
  }
  std::set<size_t> chosen;
  for (const std::string& word : only) {
    if (word == "failed" && plan.sweep.find_row(word) == nullptr) {
      const std::vector<size_t> failed = failed_runs(plan);
      chosen.insert(failed.begin(), failed.end());
      continue;
    }
    if (plan.sweep.find_row(word) == nullptr) {
      std::vector<std::string> names = {"failed"};
      for (const SweepRow& row : plan.sweep.rows) {
        names.push_back(row.name);
      }
      throw Error(ErrorKind::usage, "--only {}: there is no such row{}", word, suggestion(word, names));
    }
    for (size_t i = 0; i < plan.runs.size(); ++i) {
      if (plan.sweep.rows[plan.runs[i].row].name == word) {
        chosen.insert(i);
      }
    }
  }
  return {chosen.begin(), chosen.end()};
}

/// One process computes the stages of all rows.
void warn_of_threads(const SweepPlan& plan) {
  for (const PlannedRun& run : plan.runs) {
    if (run.evaluation->runtime.threads != plan.runs.front().evaluation->runtime.threads) {
      log(LogLevel::warning, "rows differ in runtime.threads; all are computed with the first one's");
      return;
    }
  }
}

/// Throws an Error of kind config, before any work, when what is to be computed here wants a GPU that is not
/// here. A plan may want one, since what it plans may run elsewhere.
void check_devices(const SweepPlan& plan, const std::vector<size_t>& runs, const StageCache& cache) {
  for (const size_t stage : stages_to_compute(plan, runs, cache)) {
    const PlannedRun& run = plan.runs[plan.stages[stage].run];
    try {
      (void)plugin_context(run.evaluation->runtime);
    } catch (const Error& error) {
      throw Error(error.kind(), "{}: {}; or choose other rows by --only", plan.run_name(run), error.what());
    }
  }
}

void tell(const SweepPlan& plan, const SweepOutcome& outcome, size_t runs) {
  log(LogLevel::info, "{}: {} of {} runs finished; stages computed here: {}; {:.1f} s", plan.sweep.name,
      outcome.published, runs, stage_counts(plan, outcome.computed), outcome.seconds);
  log(LogLevel::info, "{}: table and page in {}", plan.sweep.name, plan.sweep.output);
}

void run_sweep_command(const RunArguments& arguments, CommandLine& line) {
  if (arguments.sweep.file.empty()) {
    throw Error(ErrorKind::usage, "sweep: name a sweep file, or one of plan, compare, export, collect");
  }
  if (arguments.keep_going && arguments.fail_fast) {
    throw Error(ErrorKind::usage, "--keep-going and --fail-fast contradict one another; give one of them");
  }
  if (!arguments.against.empty() && arguments.against != "paper") {
    throw Error(ErrorKind::usage, "--against {}: only 'paper' is known", arguments.against);
  }
  Progress::set_enabled(!arguments.quiet);
  if (arguments.quiet) {
    set_log_level(LogLevel::warning);
  }
  PlannedSweep planned = plan_of(arguments.sweep, /*keeps=*/true);
  const SweepPlan& plan = planned.plan;
  if (!arguments.against.empty()) {
    check_against_paper(plan);
  }
  warn_of_threads(plan);
  if (!plan.missing.empty() && !arguments.skip_missing) {
    throw Error(ErrorKind::data, "{}{}", missing_text(plan),
                "--skip-missing runs what can be run; nothing was computed");
  }
  SweepRunOptions options;
  options.runs = chosen_runs(plan, arguments.only);
  check_devices(plan, options.runs, *planned.cache);
  const SweepFolder folder(plan);
  if (folder.joined()) {
    log(LogLevel::info, "{}: another process is at work here; this one takes a share", plan.sweep.output);
  }
  options.fail_fast = arguments.fail_fast;
  if (!plan.runs.empty()) {
    apply_threads(read_runtime_options(plan.runs.front().evaluation->config));
  }
  const SweepOutcome outcome = run_sweep(plan, *planned.host, *planned.cache, options);
  SweepResultOptions result_options;
  result_options.against_paper = !arguments.against.empty();
  result_options.intervals = !arguments.no_intervals;
  result_options.examples = arguments.examples;
  const SweepResults results = read_sweep_results(plan, result_options);
  write_sweep_results(plan, results, result_options);
  if (arguments.json) {
    fmt::print("{}\n", json_text(to_json(plan, results, outcome), 2));
  } else {
    fmt::print("{}", table_text(results.table));
  }
  tell(plan, outcome, options.runs.size());
  if (!outcome.finished) {
    log(LogLevel::warning, "{}: {}; the same command goes on", plan.sweep.name,
        outcome.failed.empty() ? "interrupted" : "stopped");
  }
  line.exit_code = outcome.finished && outcome.failed.empty() ? 0 : 1;
}

}  // namespace

void add_sweep_arguments(CLI::App& command, SweepArguments& arguments, bool required) {
  command.add_option("FILE", arguments.file, "Sweep file, or one of the program's such as sweep/emoji_small")
      ->required(required);
  command.add_option("OVERRIDE", arguments.overrides, "Settings of all rows that win over the file's");
  command.add_option("-o,--output", arguments.output, "Folder of results; by default what the sweep says");
  command.add_option("--cache", arguments.cache, "Folder of the stage cache; by default what the sweep says");
}

PlannedSweep plan_of(const SweepArguments& arguments, bool keeps) {
  Sweep sweep = read_sweep(arguments.file, arguments.overrides);
  if (!arguments.output.empty()) {
    sweep.output = std::filesystem::absolute(arguments.output).string();
  }
  if (!arguments.cache.empty()) {
    sweep.cache.folder = std::filesystem::absolute(arguments.cache).string();
  }
  PlannedSweep planned;
  if (keeps) {
    planned.cache = cache_of(sweep);
  }
  planned.host = std::make_unique<SweepHost>(sweep.cache.folder);
  planned.plan = plan_sweep(std::move(sweep), *planned.host);
  return planned;
}

std::unique_ptr<StageCache> cache_of(const Sweep& sweep) {
  StageCacheOptions options;
  options.folder = sweep.cache.folder;
  options.limit = sweep.cache.limit.empty() ? 0 : parse_bytes(sweep.cache.limit);
  options.lease_seconds = sweep.cache.lease_seconds;
  return std::make_unique<StageCache>(std::move(options));
}

void add_sweep_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand(
      "sweep", "Run a table of configs on data sets from one file; what rows share is computed once");
  command->require_subcommand(0, 1);
  auto arguments = std::make_shared<RunArguments>();
  add_sweep_arguments(*command, arguments->sweep, /*required=*/false);
  command->add_option("--only", arguments->only, "'failed', or a row's name; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--keep-going", arguments->keep_going,
                    "Go on after failures, which end in the table (the default)");
  command->add_flag("--fail-fast", arguments->fail_fast, "End with the first failure");
  command->add_flag("--skip-missing", arguments->skip_missing,
                    "Run the rows whose weights and data are there; the others end in the table as failed");
  command->add_option("--against", arguments->against, "'paper': the paper's numbers beside ours");
  command
      ->add_option("--examples", arguments->examples, "Images of each kind on the page, a data set; 0: none")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--no-intervals", arguments->no_intervals, "No bootstrap intervals and differences");
  command->add_flag("--json", arguments->json,
                    "Stages, runs and metrics as JSON on standard output, not the table");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Examples:\n"
      "  patchioner sweep sweep/emoji_small\n"
      "  patchioner sweep plan sweep/table1\n"
      "  patchioner sweep sweep/emoji_table1 --only failed --json\n\n"
      "Ctrl-C stops between parts of a stage; the same command goes on, also after a kill. A second process "
      "with the\n"
      "same command takes a share of the work. Exit codes: 0 all runs finished, 1 some failed or "
      "interrupted, 2 wrong\n"
      "usage or config. docs/sweeps.md describes the file.");
  add_sweep_plan(*command);
  add_sweep_compare(*command);
  add_sweep_export(*command, line);
  add_sweep_collect(*command);
  command->callback([arguments, command, &line] {
    if (command->get_subcommands().empty()) {
      run_sweep_command(*arguments, line);
    }
  });
}

}  // namespace patchioner
