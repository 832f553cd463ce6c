// patchioner sweep plan FILE: what a sweep comes to, before anything is computed.
#include "sweep/sweep_plan.hpp"

#include <patchioner/error.hpp>
#include <set>

#include "data/json_text.hpp"
#include "sweep.hpp"
#include "sweep/stage_rates.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostRunsShown = 400;

struct PlanArguments {
  SweepArguments sweep;
  bool json = false;
};

/// One line of the table of stages.
struct StageLine {
  size_t runs = 0;    ///< that have such a stage
  size_t stages = 0;  ///< that are different
  size_t cached = 0;
  size_t needed = 0;
  double seconds = 0;  ///< of the needed ones whose cost is known
  size_t unknown = 0;
};

std::vector<size_t> all_runs(const SweepPlan& plan) {
  std::vector<size_t> runs;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    runs.push_back(i);
  }
  return runs;
}

std::map<Stage, StageLine> stage_lines(const SweepPlan& plan, const StageCache& cache) {
  std::map<Stage, StageLine> lines;
  for (const PlannedRun& run : plan.runs) {
    for (const size_t place : run.stages) {
      ++lines[plan.stages[place].key.stage].runs;
    }
  }
  for (const PlannedStage& stage : plan.stages) {
    StageLine& line = lines[stage.key.stage];
    ++line.stages;
    line.cached += cache.contains(stage.key) ? 1 : 0;
  }
  const StageRates rates(cache);
  for (const size_t place : stages_to_compute(plan, all_runs(plan), cache)) {
    const PlannedStage& stage = plan.stages[place];
    StageLine& line = lines[stage.key.stage];
    ++line.needed;
    const std::optional<double> seconds = rates.seconds(stage);
    line.seconds += seconds.value_or(0);
    line.unknown += seconds ? 0 : 1;
  }
  return lines;
}

std::string cost_text(const StageLine& line) {
  constexpr double kMinute = 60;
  if (line.needed == 0) {
    return "-";
  }
  if (line.unknown == line.needed) {
    return "not known yet";
  }
  const std::string time = line.seconds < kMinute ? fmt::format("{:.1f} s", line.seconds)
                                                  : fmt::format("{:.1f} min", line.seconds / kMinute);
  return line.unknown == 0 ? time : fmt::format("{} and {} not known yet", time, line.unknown);
}

/// Each run with its stages: their digests' beginning, '=' before one that an earlier run has brought
/// already, '.' behind one that the cache holds.
std::string run_lines(const SweepPlan& plan, const StageCache& cache) {
  size_t widest = 3;
  for (const PlannedRun& run : plan.runs) {
    widest = std::max(widest, plan.run_name(run).size());
  }
  constexpr size_t kDigits = 6;
  std::string text = fmt::format("{:<{}}", "run", widest);
  for (const Stage stage : kStages) {
    text += fmt::format("  {:<9}", to_string(stage));
  }
  text += "\n";
  std::set<size_t> seen;
  for (const PlannedRun& run : plan.runs) {
    text += fmt::format("{:<{}}", plan.run_name(run), widest);
    if (!run.missing.empty()) {
      text += "  something is not there\n";
      continue;
    }
    std::map<Stage, size_t> places;
    for (const size_t place : run.stages) {
      places[plan.stages[place].key.stage] = place;
    }
    for (const Stage stage : kStages) {
      std::string cell = " -";  // regions encoded one by one need no aggregation
      if (const auto found = places.find(stage); found != places.end()) {
        const StageKey& key = plan.stages[found->second].key;
        cell = fmt::format("{}{}{}", seen.insert(found->second).second ? " " : "=",
                           key.digest.substr(0, kDigits), cache.contains(key) ? "." : "");
      }
      text += fmt::format("  {:<9}", cell);
    }
    text += "\n";
  }
  return text;
}

Json plan_json(const SweepPlan& plan, const StageCache& cache) {
  Json json = {{"sweep", plan.sweep.name}, {"output", plan.sweep.output}, {"cache", cache.folder().string()}};
  json["stages"] = Json::object();
  for (const auto& [stage, line] : stage_lines(plan, cache)) {
    json["stages"][std::string(to_string(stage))] = {
        {"runs", line.runs},
        {"planned", line.stages},
        {"cached", line.cached},
        {"needed", line.needed},
        {"seconds", line.unknown == 0 ? Json(line.seconds) : Json()}};
  }
  json["runs"] = Json::array();
  for (const PlannedRun& run : plan.runs) {
    Json one = {{"row", plan.sweep.rows[run.row].name},
                {"dataset", plan.sweep.datasets[run.dataset].name},
                {"folder", run.folder.string()},
                {"stages", Json::object()},
                {"missing", run.missing}};
    for (const size_t place : run.stages) {
      one["stages"][std::string(to_string(plan.stages[place].key.stage))] = plan.stages[place].key.digest;
    }
    json["runs"].push_back(std::move(one));
  }
  json["missing"] = plan.missing;
  return json;
}

void run_plan(const PlanArguments& arguments) {
  const PlannedSweep planned = plan_of(arguments.sweep, /*keeps=*/true);
  if (arguments.json) {
    fmt::print("{}\n", json_text(plan_json(planned.plan, *planned.cache), 2));
    return;
  }
  fmt::print("{}", plan_text(planned.plan, *planned.cache));
}

}  // namespace

std::string plan_text(const SweepPlan& plan, const StageCache& cache) {
  std::string text =
      fmt::format("{}: {} rows on {} data set{}, {} runs\n\n", plan.sweep.name, plan.sweep.rows.size(),
                  plan.sweep.datasets.size(), plan.sweep.datasets.size() == 1 ? "" : "s", plan.runs.size());
  if (plan.runs.size() <= kMostRunsShown) {
    text += run_lines(plan, cache) + "= shared with a run above, . in the cache\n\n";
  }
  text += fmt::format("{:<10}{:>8}{:>10}{:>9}{:>12}  {}\n", "stage", "runs", "distinct", "cached",
                      "to compute", "estimated");
  StageLine all;
  for (const auto& [stage, line] : stage_lines(plan, cache)) {
    text += fmt::format("{:<10}{:>8}{:>10}{:>9}{:>12}  {}\n", to_string(stage), line.runs, line.stages,
                        line.cached, line.needed, cost_text(line));
    all.runs += line.runs;
    all.stages += line.stages;
    all.cached += line.cached;
    all.needed += line.needed;
    all.seconds += line.seconds;
    all.unknown += line.unknown;
  }
  text += fmt::format("{:<10}{:>8}{:>10}{:>9}{:>12}  {}\n", "all", all.runs, all.stages, all.cached,
                      all.needed, cost_text(all));
  text += fmt::format("\nresults: {}\ncache:   {}\n", plan.sweep.output, cache.folder().string());
  if (!plan.missing.empty()) {
    text += "\n" + missing_text(plan);
  }
  return text;
}

std::string missing_text(const SweepPlan& plan) {
  if (plan.missing.empty()) {
    return "";
  }
  size_t runs = 0;
  for (const PlannedRun& run : plan.runs) {
    runs += run.missing.empty() ? 0 : 1;
  }
  std::string text = fmt::format("{} of {} runs lack something that is not there:\n", runs, plan.runs.size());
  for (const std::string& sentence : plan.missing) {
    text += "  " + sentence + "\n";
  }
  return text +
         "Published weights are looked for in the folder that PATCHIONER_WEIGHTS names, data sets in that of "
         "PATCHIONER_DATA: export PATCHIONER_WEIGHTS=/folder PATCHIONER_DATA=/folder (docs/weights.md and "
         "docs/datasets.md say where the files come from).\n";
}

void add_sweep_plan(CLI::App& command) {
  CLI::App* plan = command.add_subcommand(
      "plan",
      "Show rows, stages, what is shared and cached, what it will cost, and everything that is missing");
  auto arguments = std::make_shared<PlanArguments>();
  add_sweep_arguments(*plan, arguments->sweep, /*required=*/true);
  plan->add_flag("--json", arguments->json, "One JSON object on standard output");
  plan->footer("Example:\n  patchioner sweep plan sweep/emoji_table1");
  plan->callback([arguments] { run_plan(*arguments); });
}

}  // namespace patchioner
