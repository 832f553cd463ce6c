#include "sweep/sweep_results.hpp"

#include <numeric>
#include <patchioner/error.hpp>
#include <set>

#include "results/paper_numbers.hpp"
#include "results/run_records.hpp"
#include "results/sweep_page.hpp"
#include "support/files.hpp"
#include "sweep/run_folder.hpp"
#include "sweep/sweep_folder.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

/// Every metric of every data set, in the order in which they come up.
std::vector<TableColumn> all_columns(const Sweep& sweep, const std::vector<RunScores>& runs) {
  std::vector<TableColumn> columns;
  for (const SweepDataset& dataset : sweep.datasets) {
    std::set<std::string> seen;
    for (const RunScores& run : runs) {
      for (const MetricValue& metric : run.metrics) {
        if (run.dataset == dataset.name && seen.insert(metric.name).second) {
          TableColumn column;
          column.dataset = dataset.name;
          column.metric = metric.name;
          columns.push_back(std::move(column));
        }
      }
    }
  }
  return columns;
}

Json run_json(const RunScores& run) {
  Json json = {{"row", run.row},
               {"dataset", run.dataset},
               {"status", run.finished ? "finished" : (run.failure.empty() ? "pending" : "failed")},
               {"folder", run.folder.string()}};
  if (run.finished) {
    json["metrics"] = Json::object();
    for (const MetricValue& metric : run.metrics) {
      json["metrics"][metric.name] = metric.value;
    }
    json["seconds"] = run.seconds;
  } else if (!run.failure.empty()) {
    json["failure"] = run.failure;
    if (!run.log.empty()) {
      json["log"] = run.log.string();
    }
  }
  return json;
}

void add_paper(const SweepPlan& plan, ResultTable& table) {
  std::vector<std::optional<PaperRow>> rows;
  for (const SweepRow& row : plan.sweep.rows) {
    rows.push_back(row.paper);
  }
  add_paper_numbers(table, PaperTables::read(paper_tables_file()), plan.sweep.paper_table, rows,
                    plan.sweep.paper_tolerance);
}

}  // namespace

void check_against_paper(const SweepPlan& plan) {
  if (plan.sweep.paper_table.empty()) {
    throw Error(ErrorKind::usage,
                "{}: the sweep names no table of the paper to compare with; give it a section 'paper: "
                "{{table: \"1\"}}'",
                plan.sweep.file.string());
  }
  ResultTable table = empty_table(plan, {});
  fill_table(table, {}, {});
  add_paper(plan, table);
}

ResultTable empty_table(const SweepPlan& plan, const std::vector<RunScores>& runs) {
  const Sweep& sweep = plan.sweep;
  ResultTable table;
  table.name = sweep.name;
  table.title = sweep.title;
  table.label_names = sweep.label_names;
  table.columns = sweep.columns.empty() ? all_columns(sweep, runs) : sweep.columns;
  table.baseline = sweep.baseline;
  for (const SweepRow& row : sweep.rows) {
    TableRow& added = table.rows.emplace_back();
    added.name = row.name;
    added.group = row.group;
    added.labels = row.labels;
    added.is_baseline = row.name == sweep.baseline;
  }
  for (const PlannedRun& run : plan.runs) {
    if (run.data->dataset != nullptr && run.data->dataset->size() < run.data->all_images) {
      const std::string note =
          fmt::format("of '{}' only the first {} of {} images count (evaluate.limit)",
                      sweep.datasets[run.dataset].name, run.data->dataset->size(), run.data->all_images);
      if (std::find(table.notes.begin(), table.notes.end(), note) == table.notes.end()) {
        table.notes.push_back(note);
      }
    }
  }
  return table;
}

SweepResults read_sweep_results(const SweepPlan& plan, const SweepResultOptions& options) {
  const Sweep& sweep = plan.sweep;
  SweepResults results;
  for (const PlannedRun& run : plan.runs) {
    results.runs.push_back(scores_of(plan, run));
  }
  results.table = empty_table(plan, results.runs);
  TableOptions table_options;
  table_options.intervals = options.intervals;
  table_options.resamples = sweep.resamples;
  fill_table(results.table, results.runs, table_options);
  if (options.against_paper) {
    add_paper(plan, results.table);
  }
  return results;
}

void write_sweep_results(const SweepPlan& plan, const SweepResults& results,
                         const SweepResultOptions& options) {
  const SweepFiles files(plan.sweep.output);
  write_file(files.text, table_text(results.table));
  write_file(files.csv, table_csv(results.table));
  write_file(files.markdown, table_markdown(results.table));
  write_file(files.latex, table_latex(results.table, options.intervals));
  write_run_records(results.table, results.runs, files.folder);
  SweepPage page{results.table, results.runs};
  for (const SweepRow& row : plan.sweep.rows) {
    if (!row.factors.empty()) {
      page.factors[row.name] = row.factors;
    }
  }
  page.examples = options.examples;
  write_sweep_page(page, files.page);
}

Json to_json(const SweepPlan& plan, const SweepResults& results, const SweepOutcome& outcome) {
  Json json = {{"sweep", plan.sweep.name},
               {"output", plan.sweep.output},
               {"finished", outcome.finished},
               {"failed", outcome.failed.size()},
               {"seconds", outcome.seconds}};
  for (const Stage stage : kStages) {
    const auto of_stage = [&](const std::vector<size_t>& places) {
      return std::count_if(places.begin(), places.end(),
                           [&](size_t place) { return plan.stages[place].key.stage == stage; });
    };
    std::vector<size_t> all(plan.stages.size());
    std::iota(all.begin(), all.end(), size_t{0});
    json["stages"][std::string(to_string(stage))] = {{"planned", of_stage(all)},
                                                     {"needed", of_stage(outcome.needed)},
                                                     {"computed", of_stage(outcome.computed)}};
  }
  json["runs"] = Json::array();
  for (const RunScores& run : results.runs) {
    json["runs"].push_back(run_json(run));
  }
  return json;
}

}  // namespace patchioner
