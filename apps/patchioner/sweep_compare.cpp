// patchioner sweep compare: two runs against one another.
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <tuple>

#include "data/json_text.hpp"
#include "evaluation/evaluation_files.hpp"
#include "results/run_comparison.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "support/shell_word.hpp"
#include "sweep.hpp"
#include "sweep/run_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

struct CompareArguments {
  std::vector<std::string> words;
  std::string dataset;
  std::string output;
  std::string cache;
  std::string page;
  ComparisonOptions options;
  bool json = false;
};

/// Two folders of results, with what they are called in messages.
struct Pair {
  fs::path a;
  fs::path b;
  std::string name_a;
  std::string name_b;
};

/// The command that runs the row, in the folders that were named.
std::string run_command(const CompareArguments& arguments, const std::string& row) {
  std::string command = "patchioner sweep " + shell_word(arguments.words[0]);
  command += arguments.output.empty() ? "" : " -o " + shell_word(arguments.output);
  command += arguments.cache.empty() ? "" : " --cache " + shell_word(arguments.cache);
  return command + " --only " + shell_word(row);
}

/// Why there is nothing to compare in a run's folder; empty when it holds results. `advice` ends the
/// sentence.
std::string unfinished(const fs::path& folder, const std::string& name, const std::string& advice) {
  const std::optional<RunStatus> status = read_run_status(folder);
  if (status && !status->finished) {
    return fmt::format("{} has failed: {}{}", name, status->failure, advice);
  }
  std::error_code unreadable;
  const bool there = status || fs::exists(EvaluationFiles(folder).metrics, unreadable);
  return there ? "" : fmt::format("{} was not run yet{}", name, advice);
}

void check_row(const SweepPlan& plan, const std::string& row) {
  if (plan.sweep.find_row(row) != nullptr) {
    return;
  }
  std::vector<std::string> names;
  for (const SweepRow& one : plan.sweep.rows) {
    names.push_back(one.name);
  }
  throw Error(ErrorKind::usage, "there is no row '{}' in {}{}", row, plan.sweep.file.string(),
              suggestion(row, names));
}

void check_dataset(const SweepPlan& plan, const std::string& dataset) {
  std::vector<std::string> names;
  for (const SweepDataset& one : plan.sweep.datasets) {
    names.push_back(one.name);
  }
  if (std::find(names.begin(), names.end(), dataset) == names.end()) {
    throw Error(ErrorKind::usage, "--dataset {}: the sweep has no such data set{}", dataset,
                suggestion(dataset, names));
  }
}

/// A row's runs by data set.
using RowRuns = std::map<std::string, const PlannedRun*>;

RowRuns runs_of(const SweepPlan& plan, const std::string& row) {
  RowRuns runs;
  for (const PlannedRun& run : plan.runs) {
    if (plan.sweep.rows[run.row].name == row) {
      runs.emplace(plan.sweep.datasets[run.dataset].name, &run);
    }
  }
  return runs;
}

std::string joined_names(const RowRuns& runs) {
  std::vector<std::string> names;
  for (const auto& [name, run] : runs) {
    names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Results stay when a sweep's file, a plugin or a weight changes; whoever compares them must know.
void warn_of_older_settings(const SweepPlan& plan, const PlannedRun& run) {
  const std::optional<RunStatus> status = read_run_status(run.folder);
  if (status && status->finished && !run.stages.empty() && !is_published(plan, run)) {
    log(LogLevel::warning,
        "{}: its results were made with other settings, code or files than the sweep has now; 'patchioner "
        "sweep' makes them anew",
        plan.run_name(run));
  }
}

/// Two rows on each data set that both have.
std::vector<Pair> pairs_of_rows(const CompareArguments& arguments, const SweepPlan& plan) {
  const std::string& a = arguments.words[1];
  const std::string& b = arguments.words[2];
  check_row(plan, a);
  check_row(plan, b);
  if (!arguments.dataset.empty()) {
    check_dataset(plan, arguments.dataset);
  }
  const RowRuns of_a = runs_of(plan, a);
  const RowRuns of_b = runs_of(plan, b);
  std::vector<Pair> pairs;
  for (const SweepDataset& dataset : plan.sweep.datasets) {
    const bool wanted = arguments.dataset.empty() || dataset.name == arguments.dataset;
    if (wanted && of_a.contains(dataset.name) && of_b.contains(dataset.name)) {
      const PlannedRun& run_a = *of_a.at(dataset.name);
      const PlannedRun& run_b = *of_b.at(dataset.name);
      warn_of_older_settings(plan, run_a);
      warn_of_older_settings(plan, run_b);
      pairs.push_back({run_a.folder, run_b.folder, plan.run_name(run_a), plan.run_name(run_b)});
    }
  }
  if (pairs.empty()) {
    throw Error(ErrorKind::usage, "the rows '{}' and '{}' are not both run on {}: '{}' is on {}, '{}' on {}",
                a, b, arguments.dataset.empty() ? "any data set" : arguments.dataset, a, joined_names(of_a),
                b, joined_names(of_b));
  }
  return pairs;
}

/// Those of which both runs have finished; the others are told. Throws when none has.
std::vector<Pair> finished_pairs(const CompareArguments& arguments, const std::vector<Pair>& pairs) {
  std::vector<Pair> finished;
  std::vector<std::string> reasons;
  for (const Pair& pair : pairs) {
    bool both = true;
    for (const auto& [folder, name, row] : {std::tuple(pair.a, pair.name_a, arguments.words[1]),
                                            std::tuple(pair.b, pair.name_b, arguments.words[2])}) {
      const std::string reason =
          unfinished(folder, name, fmt::format("; run it with: {}", run_command(arguments, row)));
      if (!reason.empty()) {
        reasons.push_back(reason);
        both = false;
      }
    }
    if (both) {
      finished.push_back(pair);
    }
  }
  if (finished.empty()) {
    throw Error(ErrorKind::data, "{}", fmt::join(reasons, "\n"));
  }
  for (const std::string& reason : reasons) {
    log(LogLevel::warning, "not compared: {}", reason);
  }
  return finished;
}

/// Two folders, or two rows of a sweep on each data set that both have.
std::vector<Pair> pairs_of(const CompareArguments& arguments) {
  if (arguments.words.size() == 2) {
    const Pair pair = {arguments.words[0], arguments.words[1], arguments.words[0], arguments.words[1]};
    for (const fs::path& folder : {pair.a, pair.b}) {
      if (!fs::is_directory(folder)) {
        throw Error(ErrorKind::usage, "{}: there is no such folder of results", folder.string());
      }
      const std::string advice = "; finish it first, or name the folder that its metrics.json lies in";
      if (const std::string reason = unfinished(folder, folder.string(), advice); !reason.empty()) {
        throw Error(ErrorKind::data, "{}", reason);
      }
    }
    return {pair};
  }
  SweepArguments sweep;
  sweep.file = arguments.words[0];
  sweep.output = arguments.output;
  sweep.cache = arguments.cache;
  const PlannedSweep planned = plan_of(sweep);
  return finished_pairs(arguments, pairs_of_rows(arguments, planned.plan));
}

/// The page of one pair: with several, the data set's name is put before the ending.
fs::path page_of(const CompareArguments& arguments, const RunComparison& comparison, bool several) {
  const fs::path page = arguments.page;
  return several ? page.parent_path() /
                       (page.stem().string() + "_" + comparison.a.dataset + page.extension().string())
                 : page;
}

void run_compare(const CompareArguments& arguments) {
  if (arguments.words.size() < 2 || arguments.words.size() > 3) {
    throw Error(ErrorKind::usage, "sweep compare: give a sweep file and two rows, or two folders of results");
  }
  const std::vector<Pair> pairs = pairs_of(arguments);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Pair& pair : pairs) {
    const RunComparison comparison = compare_runs(pair.a, pair.b, arguments.options);
    if (arguments.json) {
      all.push_back(to_json(comparison));
    } else {
      fmt::print("{}{}", &pair == &pairs.front() ? "" : "\n", comparison_text(comparison));
    }
    if (!arguments.page.empty()) {
      const fs::path page = page_of(arguments, comparison, pairs.size() > 1);
      make_folder_of(page);
      write_comparison_page(comparison, ResultImages::open(pair.a), page);
      log(LogLevel::info, "the page: {}", page.string());
    }
  }
  if (arguments.json) {
    fmt::print("{}\n", json_text(all, 2));
  }
}

}  // namespace

void add_sweep_compare(CLI::App& command) {
  CLI::App* compare = command.add_subcommand(
      "compare",
      "Compare two runs: their configs first, then their numbers, then the items that won and lost");
  auto arguments = std::make_shared<CompareArguments>();
  compare
      ->add_option("WHAT", arguments->words,
                   "FILE ROW_A ROW_B of a sweep, or two folders of results, FOLDER_A FOLDER_B")
      ->required()
      ->expected(2, 3);
  compare->add_option("-d,--dataset", arguments->dataset, "Only this data set of the sweep");
  compare->add_option("-o,--output", arguments->output,
                      "The sweep's folder of results, where it was another one");
  compare->add_option("--cache", arguments->cache, "The sweep's cache, where it was another one");
  compare->add_option("-m,--metric", arguments->options.metric,
                      "That orders items; by default the first of CIDEr, METEOR ...");
  compare->add_option("--examples", arguments->options.examples, "Items that won and lost, of each");
  compare->add_option("--page", arguments->page, "HTML page with the images of these items");
  compare->add_flag("--json", arguments->json, "JSON on standard output");
  compare->footer(
      "Examples:\n"
      "  patchioner sweep compare sweep/emoji_small clip-uniform talk2dino-uniform --page compare.html\n"
      "  patchioner sweep compare runs/eval/emoji_dense runs/other/emoji_dense");
  compare->callback([arguments] { run_compare(*arguments); });
}

}  // namespace patchioner
