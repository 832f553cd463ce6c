#include "results/table_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "results/map_bootstrap.hpp"

namespace patchioner {
namespace {

constexpr double kSignificant = 0.05;

std::string label_of(const TableRow& row, const std::string& name) {
  for (const auto& [key, value] : row.labels) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

std::vector<std::string> labels_of(const ResultTable& table, const TableRow& row) {
  std::vector<std::string> labels;
  for (const std::string& name : table.label_names) {
    labels.push_back(label_of(row, name));
  }
  return labels;
}

/// Looks at all rows: asked once for a table.
bool labels_tell_apart(const ResultTable& table) {
  std::set<std::vector<std::string>> seen;
  return !table.label_names.empty() &&
         std::all_of(table.rows.begin(), table.rows.end(), [&](const TableRow& row) {
           std::vector<std::string> shown = labels_of(table, row);
           shown.push_back(row.group);
           return seen.insert(std::move(shown)).second;
         });
}

template <class Predicate>
bool any_cell(const ResultTable& table, const Predicate& predicate) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const TableRow& row) {
    return std::any_of(row.cells.begin(), row.cells.end(), predicate);
  });
}

}  // namespace

std::string shown_number(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos) {
    text.erase(0, 1);
  }
  return text;
}

std::string shown_value(const TableColumn& column, double value) {
  return shown_number(value * column.scale, column.digits);
}

std::string column_title(const TableColumn& column) {
  return column.title.empty() ? column.metric : column.title;
}

std::vector<ColumnGroup> column_groups(const ResultTable& table) {
  std::vector<ColumnGroup> groups;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const TableColumn& column = table.columns[i];
    const std::string& title = column.group.empty() ? column.dataset : column.group;
    if (groups.empty() || groups.back().title != title) {
      groups.push_back({title, i, 0});
    }
    ++groups.back().count;
  }
  return groups;
}

std::vector<RowGroup> row_groups(const ResultTable& table) {
  std::vector<RowGroup> groups;
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const std::string& name = table.rows[i].group;
    const auto [place, is_new] = places.emplace(name, groups.size());
    if (is_new) {
      groups.push_back({name, {}});
    }
    groups[place->second].rows.push_back(i);
  }
  return groups;
}

RowHeads row_heads(const ResultTable& table) {
  RowHeads heads;
  const bool with_names = !labels_tell_apart(table);
  if (with_names) {
    heads.titles.emplace_back("Row");
  }
  heads.titles.insert(heads.titles.end(), table.label_names.begin(), table.label_names.end());
  for (const TableRow& row : table.rows) {
    std::vector<std::string> cells = labels_of(table, row);
    if (with_names) {
      cells.insert(cells.begin(), row.name);
    } else if (std::all_of(cells.begin(), cells.end(),
                           [](const std::string& cell) { return cell.empty(); })) {
      cells.front() = row.name;
    }
    heads.cells.push_back(std::move(cells));
  }
  return heads;
}

std::vector<std::string> row_titles(const ResultTable& table) {
  const bool by_labels = labels_tell_apart(table);
  std::vector<std::string> titles;
  for (const TableRow& row : table.rows) {
    std::vector<std::string> labels = by_labels ? labels_of(table, row) : std::vector<std::string>();
    std::erase(labels, "");
    titles.push_back(labels.empty() ? row.name : fmt::format("{}", fmt::join(labels, ", ")));
  }
  return titles;
}

int significance(const TableColumn& column, const TableCell& cell) {
  if (!cell.against_baseline || cell.against_baseline->p_value >= kSignificant) {
    return 0;
  }
  return (cell.against_baseline->delta > 0) == column.higher_is_better ? 1 : -1;
}

std::vector<TableFailure> table_failures(const ResultTable& table) {
  std::vector<TableFailure> failures;
  const std::vector<std::string> titles = row_titles(table);
  for (size_t place = 0; place < table.rows.size(); ++place) {
    const TableRow& row = table.rows[place];
    std::set<std::string> named;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const TableCell& cell = row.cells[i];
      const std::string& dataset = table.columns[i].dataset;
      if (!cell.failure.empty() && named.insert(dataset).second) {
        failures.push_back({titles[place], dataset, one_line(cell.failure), cell.log});
      }
    }
  }
  return failures;
}

bool has_intervals(const ResultTable& table) {
  return any_cell(table, [](const TableCell& cell) { return cell.interval.has_value(); });
}

bool has_differences(const ResultTable& table) {
  return any_cell(table, [](const TableCell& cell) { return cell.against_baseline.has_value(); });
}

bool has_paper_numbers(const ResultTable& table) {
  return any_cell(table, [](const TableCell& cell) { return cell.paper.has_value(); });
}

std::string drawn_things(const ResultTable& table) {
  const auto has = [&](bool of_map) {
    return any_cell(table, [&](const TableCell& cell) {
      return cell.interval.has_value() && is_map(cell.metric) == of_map;
    });
  };
  return !has(true) ? "items" : has(false) ? "items, of mAP over images" : "images";
}

std::string significance_legend(const ResultTable& table) {
  const auto baseline =
      std::find_if(table.rows.begin(), table.rows.end(), [](const TableRow& row) { return row.is_baseline; });
  return fmt::format(
      "better or worse (p < {}, paired bootstrap over {}) than {}", kSignificant, drawn_things(table),
      baseline == table.rows.end() ? table.baseline
                                   : row_titles(table)[static_cast<size_t>(baseline - table.rows.begin())]);
}

std::string tolerance_words(const ResultTable& table) {
  std::vector<std::string> words = {fmt::format("{}", table.tolerance.value_or(0))};
  for (const TableColumn& column : table.columns) {
    if (column.paper && column.tolerance && column.tolerance != table.tolerance) {
      const std::string of_column =
          fmt::format("{} of {}", *column.tolerance, column.title.empty() ? column.metric : column.title);
      if (std::find(words.begin(), words.end(), of_column) == words.end()) {
        words.push_back(of_column);
      }
    }
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string paper_legend(const ResultTable& table) {
  return fmt::format(
      "the paper's numbers{}",
      table.tolerance ? fmt::format("; !: ours is further than {} from it", tolerance_words(table)) : "");
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char character) { return character == '\n' || character == '\r'; }, ' ');
  return text;
}

}  // namespace patchioner
