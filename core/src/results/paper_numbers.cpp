#include "results/paper_numbers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "results/table_layout.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "support/some_names.hpp"

namespace patchioner {

struct PaperTables::Cell {
  PaperColumn column;
  std::optional<double> value;

  std::string text() const {
    std::vector<std::string> parts = {column.task, column.dataset, column.metric};
    std::erase(parts, "");
    return fmt::format("{}", fmt::join(parts, ", "));
  }
};

struct PaperTables::Row {
  PaperRow names;
  std::vector<Cell> cells;

  std::string text() const {
    std::vector<std::string> parts;
    if (!names.label.empty()) {
      parts.push_back(names.label);
    }
    for (const auto& [key, label] : names.labels) {
      parts.push_back(label);
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  std::string label(const std::string& key) const {
    const auto found = std::find_if(names.labels.begin(), names.labels.end(),
                                    [&](const auto& label) { return label.first == key; });
    return found == names.labels.end() ? std::string() : found->second;
  }
};

struct PaperTables::Table {
  std::string name;
  std::vector<Row> rows;

  const Row& row(const PaperRow& wanted) const;
  const Cell& cell(const Row& row, const PaperColumn& wanted) const;
};

namespace {

using Json = nlohmann::ordered_json;

/// Keeps of `candidates` those whose name is the wanted one. Throws when none is.
template <class Candidate, class NameOf>
void keep_named(std::vector<const Candidate*>& candidates, const std::string& wanted, const std::string& what,
                const NameOf& name_of) {
  std::vector<std::string> names;
  std::vector<const Candidate*> kept;
  for (const Candidate* candidate : candidates) {
    const std::string name = name_of(*candidate);
    if (name == wanted) {
      kept.push_back(candidate);
    } else if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  if (kept.empty()) {
    throw Error(ErrorKind::config, "{} '{}'{}", what, wanted, suggestion(wanted, names));
  }
  candidates = std::move(kept);
}

template <class Candidate>
const Candidate& only_one(const std::vector<const Candidate*>& candidates, const std::string& what) {
  if (candidates.size() > 1) {
    std::vector<std::string> names;
    for (const Candidate* candidate : candidates) {
      names.push_back("'" + candidate->text() + "'");
    }
    throw Error(ErrorKind::config, "{} could be {}; name more of it", what, some_names(std::move(names)));
  }
  return *candidates.front();
}

template <class Candidate>
std::vector<const Candidate*> pointers(const std::vector<Candidate>& list) {
  std::vector<const Candidate*> result;
  for (const Candidate& entry : list) {
    result.push_back(&entry);
  }
  return result;
}

}  // namespace

const PaperTables::Row& PaperTables::Table::row(const PaperRow& wanted) const {
  std::vector<const Row*> candidates = pointers(rows);
  if (!wanted.label.empty()) {
    const auto is_whole = [&](const Row* row) { return row->names.label == wanted.label; };
    if (std::none_of(candidates.begin(), candidates.end(), is_whole)) {
      // Its beginning may stand for it.
      std::vector<const Row*> begun;
      std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(begun),
                   [&](const Row* row) { return row->names.label.starts_with(wanted.label); });
      candidates = begun.empty() ? candidates : begun;
      if (!begun.empty()) {
        candidates = {&only_one(begun, fmt::format("row '{}' of the paper's table {}", wanted.label, name))};
      }
    }
    if (candidates.size() > 1) {
      keep_named(candidates, wanted.label, fmt::format("the paper's table {} has no row", name),
                 [](const Row& row) { return row.names.label; });
    }
  }
  for (const auto& [key, label] : wanted.labels) {
    if (std::none_of(candidates.begin(), candidates.end(),
                     [&](const Row* row) { return !row->label(key).empty(); })) {
      std::vector<std::string> keys;
      for (const auto& [known, value] : candidates.front()->names.labels) {
        keys.push_back(known);
      }
      throw Error(ErrorKind::config, "the paper's table {} has no label '{}'{}", name, key,
                  suggestion(key, keys));
    }
    keep_named(candidates, label, fmt::format("the paper's table {} has no such row with the {}", name, key),
               [&](const Row& row) { return row.label(key); });
  }
  return only_one(candidates, fmt::format("the row of the paper's table {}", name));
}

const PaperTables::Cell& PaperTables::Table::cell(const Row& row, const PaperColumn& wanted) const {
  std::vector<const Cell*> candidates = pointers(row.cells);
  for (const auto& [part, what] :
       {std::pair(&PaperColumn::task, "task"), std::pair(&PaperColumn::dataset, "data set"),
        std::pair(&PaperColumn::metric, "metric")}) {
    if (!(wanted.*part).empty()) {
      keep_named(candidates, wanted.*part,
                 fmt::format("the paper's table {} has no such column of the {}", name, what),
                 [&](const Cell& cell) { return cell.column.*part; });
    }
  }
  return only_one(candidates, fmt::format("the column of the paper's table {}", name));
}

PaperTables PaperTables::read(const std::filesystem::path& file) {
  const std::string content = read_file(file);
  PaperTables result;
  std::string place = "the document";
  try {
    const Json json = Json::parse(content);
    place = "\"tables\"";
    for (const Json& table_json : json.at("tables")) {
      place = fmt::format("table {} of the list", result.tables_.size() + 1);
      auto table = std::make_shared<Table>();
      table->name = table_json.at("table").get<std::string>();
      for (const Json& row_json : table_json.at("rows")) {
        place = fmt::format("table {}, row {}", table->name, table->rows.size() + 1);
        Row row;
        row.names.label = row_json.value("label", "");
        if (row_json.contains("labels")) {
          for (const auto& [key, label] : row_json.at("labels").items()) {
            row.names.labels.emplace_back(key, label.get<std::string>());
          }
        }
        for (const Json& cell_json : row_json.at("cells")) {
          Cell cell;
          cell.column = {cell_json.value("task", ""), cell_json.value("dataset", ""),
                         cell_json.at("metric").get<std::string>()};
          if (!cell_json.at("value").is_null()) {
            cell.value = cell_json.at("value").get<double>();
          }
          row.cells.push_back(std::move(cell));
        }
        table->rows.push_back(std::move(row));
      }
      result.tables_.push_back(std::move(table));
    }
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::data, "{}: {} of the paper's numbers cannot be read: {}", file.string(), place,
                error.what());
  }
  return result;
}

std::optional<double> PaperTables::value(const std::string& table, const PaperRow& row,
                                         const PaperColumn& column) const {
  std::vector<std::string> names;
  for (const auto& known : tables_) {
    if (known->name == table) {
      return known->cell(known->row(row), column).value;
    }
    names.push_back(known->name);
  }
  throw Error(ErrorKind::config, "the paper has no table '{}'; it has {}", table, fmt::join(names, ", "));
}

std::filesystem::path paper_tables_file() {
  const std::filesystem::path file = config_directory() / "paper" / "tables.json";
  if (!std::filesystem::exists(file)) {
    throw Error(
        ErrorKind::config,
        "{}: the paper's tables are not among the program's configs; install them, or leave out `paper`",
        file.string());
  }
  return file;
}

void add_paper_numbers(ResultTable& table, const PaperTables& papers, const std::string& paper_table,
                       const std::vector<std::optional<PaperRow>>& rows, double tolerance) {
  // Values that are as far away as the tolerance says are within it, whatever the last bit says.
  constexpr double kSlack = 1e-9;
  size_t compared = 0;
  size_t outside = 0;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    for (size_t j = 0; j < table.columns.size(); ++j) {
      const TableColumn& column = table.columns[j];
      TableCell& cell = table.rows[i].cells[j];
      if (!rows[i] || !column.paper) {
        continue;
      }
      cell.paper = papers.value(paper_table, *rows[i], *column.paper);
      if (!cell.value || !cell.paper) {
        continue;
      }
      cell.outside_tolerance = !(std::abs(*cell.value * column.scale - *cell.paper) <=
                                 column.tolerance.value_or(tolerance) + kSlack);
      ++compared;
      outside += cell.outside_tolerance ? 1 : 0;
    }
  }
  table.tolerance = tolerance;
  if (compared > 0) {
    table.notes.push_back(fmt::format("{} of {} cells lie further than {} from the paper's", outside,
                                      compared, tolerance_words(table)));
  }
}

}  // namespace patchioner
