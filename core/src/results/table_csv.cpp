// The table for programs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "results/table_layout.hpp"

namespace patchioner {
namespace {

/// Quoted where RFC 4180 wants it.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char character : text) {
    quoted.append(character == '"' ? 2 : 1, character);
  }
  return quoted + '"';
}

/// The shortest digits that read back as the same number.
std::string number(double value) {
  return fmt::format("{}", value);
}

/// What the cells of a column have.
struct Content {
  bool intervals = false;
  bool differences = false;
  bool paper = false;
  std::set<std::string> metrics;  ///< that were found

  Content(const ResultTable& table, size_t column) {
    for (const TableRow& row : table.rows) {
      const TableCell& cell = row.cells[column];
      intervals |= cell.interval.has_value();
      differences |= cell.against_baseline.has_value();
      paper |= cell.paper.has_value();
      if (cell.value && !cell.metric.empty()) {
        metrics.insert(cell.metric);
      }
    }
  }
};

void add_titles(std::vector<std::string>& titles, const TableColumn& column, const Content& content) {
  const std::string name =
      column.dataset + "." + (content.metrics.size() == 1 ? *content.metrics.begin() : column.metric);
  titles.push_back(name);
  for (const auto& [is_there, suffix] :
       {std::pair(content.metrics.size() > 1, "_metric"), std::pair(content.intervals, "_low"),
        std::pair(content.intervals, "_high"), std::pair(content.differences, "_delta"),
        std::pair(content.differences, "_p"), std::pair(content.paper, "_paper")}) {
    if (is_there) {
      titles.push_back(name + suffix);
    }
  }
}

void add_cell(std::vector<std::string>& fields, const TableColumn& column, const TableCell& cell,
              const Content& content) {
  fields.push_back(cell.value ? number(*cell.value) : "");
  if (content.metrics.size() > 1) {
    fields.push_back(cell.metric);
  }
  if (content.intervals) {
    fields.push_back(cell.interval ? number(cell.interval->low) : "");
    fields.push_back(cell.interval ? number(cell.interval->high) : "");
  }
  if (content.differences) {
    fields.push_back(cell.against_baseline ? number(cell.against_baseline->delta) : "");
    fields.push_back(cell.against_baseline ? number(cell.against_baseline->p_value) : "");
  }
  if (content.paper) {
    // Printed digits divided by 100 are no more exact than this.
    constexpr int kDigits = 12;
    fields.push_back(cell.paper ? fmt::format("{:.{}g}", *cell.paper / column.scale, kDigits) : "");
  }
}

std::string line(std::vector<std::string> fields) {
  std::transform(fields.begin(), fields.end(), fields.begin(), field);
  return fmt::format("{}\n", fmt::join(fields, ","));
}

/// Of all data sets a row failed on.
std::string failures_of(const ResultTable& table, const TableRow& row) {
  std::vector<std::string> failures;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (!row.cells[i].failure.empty()) {
      const std::string failure = table.columns[i].dataset + ": " + one_line(row.cells[i].failure);
      if (std::find(failures.begin(), failures.end(), failure) == failures.end()) {
        failures.push_back(failure);
      }
    }
  }
  return fmt::format("{}", fmt::join(failures, "; "));
}

}  // namespace

std::string table_csv(const ResultTable& table) {
  const bool has_failures = !table_failures(table).empty();
  std::vector<Content> contents;
  std::vector<std::string> titles = {"row", "group"};
  titles.insert(titles.end(), table.label_names.begin(), table.label_names.end());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    contents.emplace_back(table, i);
    add_titles(titles, table.columns[i], contents.back());
  }
  if (has_failures) {
    titles.emplace_back("failures");
  }
  std::string text = line(titles);
  for (const TableRow& row : table.rows) {
    std::vector<std::string> fields = {row.name, row.group};
    for (const std::string& name : table.label_names) {
      const auto label = std::find_if(row.labels.begin(), row.labels.end(),
                                      [&](const auto& known) { return known.first == name; });
      fields.push_back(label == row.labels.end() ? "" : label->second);
    }
    for (size_t i = 0; i < table.columns.size(); ++i) {
      add_cell(fields, table.columns[i], row.cells[i], contents[i]);
    }
    if (has_failures) {
      fields.push_back(failures_of(table, row));
    }
    text += line(std::move(fields));
  }
  return text;
}

}  // namespace patchioner
