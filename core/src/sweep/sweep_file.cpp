#include "sweep/sweep_file.hpp"

#include <fmt/ranges.h>

#include <cctype>
#include <patchioner/error.hpp>
#include <set>

#include "config/config.hpp"
#include "config/paths.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "sweep/factor_grid.hpp"
#include "sweep/sweep_sections.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostRows = 100'000;

/// Entries of a list, or the one entry of what is no list.
std::vector<Value> entries_of(const Value& value) {
  if (value.is_null()) {
    return {};
  }
  if (value.is_list()) {
    return value.as_list();
  }
  return {value};
}

std::string path_of(const Value& section, const std::string& key, const std::string& or_else) {
  const Value* value = section.find(key);
  return value == nullptr || value->is_null() || value->as_text().empty() ? fs::absolute(or_else).string()
                                                                          : resolve_path(*value);
}

class Reader {
 public:
  Reader(const fs::path& file, const std::vector<std::string>& overrides) {
    sweep_.file = find_config_file(file);
    sweep_.last_overrides = overrides;
    document_ = read_yaml(sweep_.file);
    if (!document_.is_map()) {
      throw Error(ErrorKind::config, "{}: a sweep is a map with rows or a grid, found {}",
                  sweep_.file.string(), to_string(document_.type()));
    }
    section_ = read_options<SweepSection>(document_, "");
  }

  Sweep read() {
    sweep_.name = section_.name.empty() ? sweep_.file.stem().string() : section_.name;
    sweep_.title = section_.title.empty() ? sweep_.name : section_.title;
    sweep_.output = path_of(document_, "output", "runs/sweep/" + folder_name(sweep_.name));
    sweep_.resamples = section_.resamples;
    read_cache();
    sweep_.overrides = section_.set;
    if (!section_.metrics.empty()) {
      sweep_.overrides.push_back(fmt::format("++score.metrics=[{}]", fmt::join(section_.metrics, ",")));
    }
    read_datasets();
    read_grid();
    for (const Value& entry : entries_of(section_.rows)) {
      add(read_row(entry));
    }
    if (sweep_.rows.empty()) {
      throw Error(ErrorKind::config, "{}: the sweep has no rows{}; give a grid of values or rows",
                  sweep_.file.string(), section_.grid.is_null() ? "" : " (all of its grid is excluded)");
    }
    read_baseline();
    read_paper();
    read_table();
    return std::move(sweep_);
  }

 private:
  void read_cache() {
    sweep_.cache = read_options<SweepCacheOptions>(section_.cache, "cache");
    sweep_.cache.folder = path_of(section_.cache, "folder", SweepCacheOptions().folder);
  }

  void read_datasets() {
    for (const Value& entry : entries_of(section_.datasets)) {
      DatasetEntry read;
      if (entry.is_text()) {
        read.name = entry.as_text();
      } else {
        read = read_options<DatasetEntry>(entry, "datasets");
      }
      if (std::any_of(sweep_.datasets.begin(), sweep_.datasets.end(),
                      [&](const SweepDataset& one) { return one.name == read.name; })) {
        throw Error(ErrorKind::config, "{}: two data sets are called '{}'; give one of them another name",
                    entry.origin().to_string(), read.name);
      }
      sweep_.datasets.push_back(
          {read.name, read.choice.empty() ? read.name : read.choice, read.set, entry.origin()});
    }
    if (sweep_.datasets.empty()) {
      throw Error(
          ErrorKind::config,
          "{}: the sweep names no data set; list choices of configs/dataset under 'datasets', those that "
          "rows choose for themselves too",
          sweep_.file.string());
    }
  }

  std::vector<std::string> dataset_names() const {
    std::vector<std::string> names;
    for (const SweepDataset& dataset : sweep_.datasets) {
      names.push_back(dataset.name);
    }
    return names;
  }

  size_t dataset_place(const std::string& name, const Origin& origin) const {
    const std::vector<std::string> names = dataset_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      throw Error(ErrorKind::config, "{}: '{}' is no data set of this sweep{}", origin.to_string(), name,
                  suggestion(name, names));
    }
    return static_cast<size_t>(found - names.begin());
  }

  std::vector<RowDataset> all_datasets() const {
    std::vector<RowDataset> all;
    for (size_t i = 0; i < sweep_.datasets.size(); ++i) {
      all.push_back({i, {}});
    }
    return all;
  }

  void read_grid() {
    if (section_.grid.is_null()) {
      if (!section_.exclude.is_null()) {
        throw Error(ErrorKind::config, "{}: there is no grid to exclude anything from",
                    section_.exclude.origin().to_string());
      }
      return;
    }
    const FactorGrid grid(section_.grid, section_.exclude);
    if (grid.combinations() > kMostRows) {
      throw Error(ErrorKind::config, "{}: the grid has {} combinations; a sweep has at most {} rows",
                  section_.grid.origin().to_string(), grid.combinations(), kMostRows);
    }
    for (SweepRow& row : grid.rows()) {
      if (row.config.empty()) {
        row.config = base(section_.grid.origin());
      }
      row.datasets = all_datasets();
      add(std::move(row));
    }
  }

  const std::string& base(const Origin& asker) const {
    if (section_.base.empty()) {
      throw Error(
          ErrorKind::config,
          "{}: nothing says which config the row starts from; give the sweep a 'base' or the row a 'config'",
          asker.to_string());
    }
    return section_.base;
  }

  SweepRow read_row(const Value& entry) const {
    const auto read = read_options<RowSection>(entry, "rows");
    SweepRow row;
    row.name = read.name;
    row.group = read.group;
    row.labels = words_of(read.labels, "labels");
    row.config = read.config.empty() ? base(entry.origin()) : read.config;
    row.overrides = read.set;
    row.origin = entry.origin();
    for (const Value& dataset : entries_of(read.datasets)) {
      if (dataset.is_text()) {
        row.datasets.push_back({dataset_place(dataset.as_text(), dataset.origin()), {}});
      } else {
        const auto on = read_options<DatasetEntry>(dataset, "rows.datasets");
        if (!on.choice.empty()) {
          throw Error(ErrorKind::config,
                      "{}: a row takes data sets of the sweep; 'choice' stands under the sweep's",
                      dataset.origin().to_string());
        }
        row.datasets.push_back({dataset_place(on.name, dataset.origin()), on.set});
      }
    }
    if (row.datasets.empty()) {
      row.datasets = all_datasets();
    }
    if (read.paper.is_text()) {
      row.paper = PaperRow{read.paper.as_text(), {}};
    } else if (!read.paper.is_null()) {
      row.paper = PaperRow{"", words_of(read.paper, "paper")};
    }
    return row;
  }

  void add(SweepRow row) {
    if (row.name.empty()) {
      throw Error(ErrorKind::config, "{}: a row's name is empty", row.origin.to_string());
    }
    const auto [earlier, is_new] = origins_.emplace(row.name, row.origin);
    if (!is_new) {
      throw Error(ErrorKind::config,
                  "{}: two rows are called '{}', the other one at {}; give one another name",
                  row.origin.to_string(), row.name, earlier->second.to_string());
    }
    std::set<size_t> seen;
    for (const RowDataset& on : row.datasets) {
      if (!seen.insert(on.dataset).second) {
        throw Error(ErrorKind::config, "{}: the row '{}' names the data set '{}' twice",
                    row.origin.to_string(), row.name, sweep_.datasets[on.dataset].name);
      }
    }
    for (const auto& [label, text] : row.labels) {
      if (std::find(label_names_.begin(), label_names_.end(), label) == label_names_.end()) {
        label_names_.push_back(label);
      }
    }
    sweep_.rows.push_back(std::move(row));
    if (sweep_.rows.size() > kMostRows) {
      throw Error(ErrorKind::config, "{}: a sweep has at most {} rows", sweep_.file.string(), kMostRows);
    }
  }

  void read_baseline() {
    sweep_.baseline = section_.baseline;
    if (sweep_.baseline.empty() || origins_.contains(sweep_.baseline)) {
      return;
    }
    std::vector<std::string> names;
    for (const SweepRow& row : sweep_.rows) {
      names.push_back(row.name);
    }
    throw Error(ErrorKind::config, "{}: the baseline '{}' is no row of this sweep{}",
                document_.at("baseline").origin().to_string(), sweep_.baseline,
                suggestion(sweep_.baseline, names));
  }

  void read_paper() {
    if (section_.paper.is_null()) {
      return;
    }
    const auto paper = read_options<PaperSection>(section_.paper, "paper");
    sweep_.paper_table = paper.table;
    sweep_.paper_tolerance = paper.tolerance;
  }

  void read_table() {
    const auto table = read_options<TableSection>(section_.table, "table");
    sweep_.label_names = table.labels.empty() ? label_names_ : table.labels;
    for (const std::string& label : sweep_.label_names) {
      if (std::find(label_names_.begin(), label_names_.end(), label) == label_names_.end()) {
        throw Error(ErrorKind::config, "{}: no row has the label '{}'{}", section_.table.origin().to_string(),
                    label, suggestion(label, label_names_));
      }
    }
    for (const Value& entry : entries_of(table.columns)) {
      sweep_.columns.push_back(read_column(entry));
    }
    if (sweep_.columns.empty()) {
      sweep_.default_columns = true;
      for (const SweepDataset& dataset : sweep_.datasets) {
        for (const std::string& metric : section_.metrics) {
          TableColumn column;
          column.dataset = dataset.name;
          column.metric = metric;
          sweep_.columns.push_back(std::move(column));
        }
      }
    }
  }

  TableColumn read_column(const Value& entry) const {
    TableColumn column;
    if (entry.is_list()) {
      if (entry.as_list().size() != 2) {
        throw Error(ErrorKind::config, "{}: a column is [dataset, metric] or a map, found a list of {}",
                    entry.origin().to_string(), entry.as_list().size());
      }
      for (const Value& word : entry.as_list()) {
        if (!word.is_text()) {
          throw Error(ErrorKind::config, "{}: a column is [dataset, metric], two words; found {}",
                      word.origin().to_string(), to_string(word.type()));
        }
      }
      column.dataset = entry.as_list()[0].as_text();
      column.metric = entry.as_list()[1].as_text();
    } else {
      const auto read = read_options<ColumnSection>(entry, "table.columns");
      column.dataset = read.dataset;
      column.metric = read.metric;
      column.title = read.title;
      column.group = read.group;
      column.scale = read.scale;
      column.digits = static_cast<int>(read.digits);
      column.higher_is_better = !read.lower_is_better;
      if (read.tolerance >= 0) {
        column.tolerance = read.tolerance;
      }
      if (read.paper.is_text()) {
        column.paper = PaperColumn{"", "", read.paper.as_text()};
      } else if (!read.paper.is_null()) {
        const auto paper = read_options<PaperColumnSection>(read.paper, "table.columns.paper");
        column.paper = PaperColumn{paper.task, paper.dataset, paper.metric};
      }
    }
    dataset_place(column.dataset, entry.origin());
    return column;
  }

  Sweep sweep_;
  Value document_;
  SweepSection section_;
  std::map<std::string, Origin> origins_;  ///< of rows by their names
  std::vector<std::string> label_names_;
};

}  // namespace

const SweepRow* Sweep::find_row(const std::string& name) const {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const SweepRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string> overrides_of(const Sweep& sweep, const SweepRow& row, const RowDataset& on) {
  const SweepDataset& dataset = sweep.datasets[on.dataset];
  std::vector<std::string> all = sweep.overrides;
  all.push_back("dataset=" + dataset.choice);
  for (const std::vector<std::string>* more :
       {&dataset.overrides, &row.overrides, &on.overrides, &sweep.last_overrides}) {
    all.insert(all.end(), more->begin(), more->end());
  }
  return all;
}

Sweep read_sweep(const fs::path& file, const std::vector<std::string>& overrides) {
  return Reader(file, overrides).read();
}

std::string folder_name(const std::string& name) {
  constexpr size_t kLongest = 120;
  constexpr size_t kDigits = 6;
  std::string folder;
  for (const char letter : name) {
    const bool stays = std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' ||
                       letter == '-' || (letter == '.' && !folder.empty());
    folder += stays ? letter : '_';
  }
  folder.resize(std::min(folder.size(), kLongest));
  return folder == name ? folder : folder + "-" + sha256(name).substr(0, kDigits);
}

}  // namespace patchioner
