// patchioner sweep compare: two runs against one another.
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/json_text.hpp"
#include "results/run_comparison.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "sweep.hpp"

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

struct Pair {
  fs::path a;
  fs::path b;
};

const PlannedRun& run_of(const SweepPlan& plan, const std::string& row, const std::string& dataset) {
  for (const PlannedRun& run : plan.runs) {
    if (plan.sweep.rows[run.row].name == row && plan.sweep.datasets[run.dataset].name == dataset) {
      return run;
    }
  }
  std::vector<std::string> names;
  for (const SweepRow& one : plan.sweep.rows) {
    names.push_back(one.name);
  }
  if (plan.sweep.find_row(row) == nullptr) {
    throw Error(ErrorKind::usage, "there is no row '{}' in {}{}", row, plan.sweep.file.string(),
                suggestion(row, names));
  }
  throw Error(ErrorKind::usage, "the row '{}' has no run on '{}'", row, dataset);
}

/// Two folders, or two rows of a sweep on each data set that both have.
std::vector<Pair> pairs_of(const CompareArguments& arguments) {
  if (arguments.words.size() == 2) {
    return {{arguments.words[0], arguments.words[1]}};
  }
  SweepArguments sweep;
  sweep.file = arguments.words[0];
  sweep.output = arguments.output;
  sweep.cache = arguments.cache;
  const PlannedSweep planned = plan_of(sweep);
  const SweepPlan& plan = planned.plan;
  std::vector<Pair> pairs;
  for (const SweepDataset& dataset : plan.sweep.datasets) {
    if (!arguments.dataset.empty() && dataset.name != arguments.dataset) {
      continue;
    }
    const Pair pair = {run_of(plan, arguments.words[1], dataset.name).folder,
                       run_of(plan, arguments.words[2], dataset.name).folder};
    pairs.push_back(pair);
  }
  if (pairs.empty()) {
    throw Error(ErrorKind::usage, "--dataset {}: the sweep has no such data set", arguments.dataset);
  }
  return pairs;
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
      "  patchioner sweep compare sweep/emoji_small emoji_clip-uniform emoji_talk2dino-uniform --page "
      "compare.html\n"
      "  patchioner sweep compare runs/eval/emoji_dense runs/other/emoji_dense");
  compare->callback([arguments] { run_compare(*arguments); });
}

}  // namespace patchioner
