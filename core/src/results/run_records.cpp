#include "results/run_records.hpp"

#include <cctype>
#include <cmath>
#include <map>
#include <patchioner/error.hpp>
#include <string_view>
#include <unordered_map>

#include "config/config.hpp"
#include "config/json_value.hpp"
#include "data/json_text.hpp"
#include "evaluation/evaluation_files.hpp"
#include "report/event_file.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

void flatten(const Value& value, const std::string& path, Json& params) {
  const std::string prefix = path.empty() ? path : path + ".";
  if (value.is_map()) {
    for (const auto& [key, entry] : value.as_map()) {
      flatten(entry, prefix + key, params);
    }
  } else if (value.is_list()) {
    for (size_t i = 0; i < value.as_list().size(); ++i) {
      flatten(value.as_list()[i], prefix + std::to_string(i), params);
    }
  } else {
    params[tracker_name(path)] = json_from_value(value);
  }
}

const char* status_of(const RunScores& run) {
  return run.finished ? "FINISHED" : run.failure.empty() ? "SCHEDULED" : "FAILED";
}

/// `row` may be nullptr.
Json tags_of(const ResultTable& table, const TableRow* row) {
  Json tags = {{"sweep", table.name}};
  if (row == nullptr) {
    return tags;
  }
  if (!row->group.empty()) {
    tags["group"] = row->group;
  }
  for (const auto& [label, value] : row->labels) {
    const std::string name = tracker_name(label);
    tags[tags.contains(name) ? "label." + name : name] = value;
  }
  return tags;
}

/// Of a run that failed before it had a config there are no params.
Json params_of(const RunScores& run) {
  const fs::path file = EvaluationFiles(run.folder).config;
  std::error_code unreadable;
  return fs::exists(file, unreadable) ? flat_params(read_yaml(file)) : Json::object();
}

/// What the folder of events of a run is called below `events`.
fs::path events_name(const RunScores& run) {
  const fs::path whole = fs::absolute(run.folder / "x").lexically_normal().parent_path();
  return whole.parent_path().filename() / whole.filename();
}

void remove_events(const fs::path& folder) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
      std::error_code kept;
      fs::remove(entry.path(), kept);
      if (kept) {
        throw Error(ErrorKind::io, "{}: cannot be removed ({})", entry.path().string(), kept.message());
      }
    }
  }
}

void write_events(const RunScores& run, const fs::path& folder) {
  remove_events(folder);
  if (!run.finished) {
    return;
  }
  std::vector<std::pair<std::string, double>> scalars;
  for (const MetricValue& metric : run.metrics) {
    if (std::isfinite(metric.value)) {
      scalars.emplace_back(tracker_name(run.dataset + "/" + metric.name), metric.value);
    }
  }
  make_folder(folder);
  EventFile events(folder, 0);
  events.add(0, scalars);
  events.flush();
}

}  // namespace

std::string tracker_name(const std::string& name) {
  std::string result;
  for (const char letter : name) {
    const bool taken = std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                       std::string_view("_-. /:").find(letter) != std::string_view::npos ||
                       static_cast<unsigned char>(letter) >= 0x80;
    if (letter == '(') {
      result += '.';
    } else if (letter != ')') {
      result += taken ? letter : '_';
    }
  }
  return result;
}

Json flat_params(const Value& config) {
  Json params = Json::object();
  flatten(config, "", params);
  return params;
}

Json run_record(const RunScores& run, const ResultTable& table, const TableRow* row) {
  Json metrics = Json::object();
  for (const MetricValue& metric : run.metrics) {
    if (std::isfinite(metric.value)) {
      metrics[tracker_name(metric.name)] = metric.value;
    }
  }
  Json record = {{"run", run.row + "/" + run.dataset},
                 {"row", run.row},
                 {"dataset", run.dataset},
                 {"status", status_of(run)},
                 {"params", params_of(run)},
                 {"metrics", std::move(metrics)},
                 {"tags", tags_of(table, row)},
                 {"seconds", run.seconds},
                 {"images", run.images},
                 {"regions", run.regions},
                 {"folder", run.folder.string()}};
  if (!run.failure.empty()) {
    record["failure"] = run.failure;
    record["log"] = run.log.string();
  }
  return record;
}

void write_run_records(const ResultTable& table, const std::vector<RunScores>& runs, const fs::path& folder) {
  std::map<fs::path, const RunScores*> names;
  for (const RunScores& run : runs) {
    const auto [other, is_new] = names.emplace(events_name(run), &run);
    if (!is_new) {
      throw Error(
          ErrorKind::usage,
          "{} and {} would both have their events in {}; give them folders whose last two names differ",
          other->second->folder.string(), run.folder.string(), other->first.string());
    }
  }
  make_folder(folder);
  AtomicFile records(folder / "records.jsonl");
  std::unordered_map<std::string_view, const TableRow*> rows;
  for (const TableRow& row : table.rows) {
    rows.emplace(row.name, &row);
  }
  for (const RunScores& run : runs) {
    const auto row = rows.find(run.row);
    records.write(json_text(run_record(run, table, row == rows.end() ? nullptr : row->second)) + "\n");
  }
  records.commit();
  for (const auto& [name, run] : names) {
    write_events(*run, folder / "events" / name);
  }
}

}  // namespace patchioner
