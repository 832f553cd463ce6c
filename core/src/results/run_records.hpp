// What trackers of experiments import of a sweep: a line a run with params, metrics and tags, as MLflow and
// W&B call them, and TensorBoard event files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "results/result_table.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// A name as MLflow takes it for params, metrics and tags: "METEOR(no-paraphrase)" is
/// "METEOR.no-paraphrase"; any other character but letters, digits, '_', '-', '.', ' ', '/' and ':' is '_'.
std::string tracker_name(const std::string& name);

/// The scalars of a resolved config by their dotted paths, entries of lists by their places:
/// {"gap.temperature": 0.01, "dataset.files.0": "..."}.
nlohmann::ordered_json flat_params(const Value& config);

/// One run: "run" ("row/data set"), "row", "dataset", "status" (FINISHED, FAILED or SCHEDULED, as MLflow has
/// them), "params", "metrics" (fractions; those that are no numbers are left out), "tags" ("sweep", "group"
/// and the row's labels), "seconds", "images", "regions", "folder"; of a failed one also "failure" and "log".
/// `row` is the run's in the table, nullptr when it has none.
nlohmann::ordered_json run_record(const RunScores& run, const ResultTable& table, const TableRow* row);

/// Writes `folder`/records.jsonl and, of finished runs, `folder`/events/<row>/<dataset>, named as the last
/// two parts of the run's own folder, with a scalar <dataset>/<metric> each, so that TensorBoard draws the
/// rows of a data set side by side. A run's earlier event files go away. Throws an Error of kind io when
/// something cannot be written, and of kind usage when two runs would have the same folder of events.
void write_run_records(const ResultTable& table, const std::vector<RunScores>& runs,
                       const std::filesystem::path& folder);

}  // namespace patchioner
