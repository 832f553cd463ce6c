#include "results/sweep_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "results/table_layout.hpp"

namespace patchioner {
namespace {

using Factors = std::map<std::string, std::vector<std::pair<std::string, std::string>>>;
using Assignments = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMostValues = 20;  // of a factor that is drawn; labels with more are no factors but names

std::string find_value(const Assignments& assignments, const std::string& name) {
  for (const auto& [key, value] : assignments) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

SweepFactor factor_of(const std::string& name, const std::vector<const Assignments*>& rows) {
  SweepFactor factor{name, {}, {}};
  std::unordered_set<std::string> seen;
  for (const Assignments* row : rows) {
    std::string value = row != nullptr ? find_value(*row, name) : std::string();
    if (!value.empty() && seen.insert(value).second) {
      factor.values.push_back(value);
    }
    factor.of_row.push_back(std::move(value));
  }
  return factor;
}

/// Whether two factors, of few values, put the same rows together.
bool split_alike(const SweepFactor& left, const SweepFactor& right) {
  const auto numbers = [](const SweepFactor& factor) {
    std::vector<std::ptrdiff_t> places;
    for (const std::string& value : factor.of_row) {
      places.push_back(std::find(factor.values.begin(), factor.values.end(), value) - factor.values.begin());
    }
    return places;
  };
  return numbers(left) == numbers(right);
}

std::string group_name(const TableColumn& column) {
  return column.group.empty() ? column.dataset : column.group;
}

/// "CIDEr ×100".
std::string axis_name(const TableColumn& column) {
  return column.scale == 1 ? column_title(column)
                           : fmt::format("{} \u00d7{:g}", column_title(column), column.scale);
}

std::string factor_plot(const ResultTable& table, const std::vector<std::string>& names, size_t index,
                        const SweepFactor& factor) {
  const TableColumn& column = table.columns[index];
  std::vector<PlotGroup> groups;
  bool any = false;
  for (const std::string& value : factor.values) {
    PlotGroup& group = groups.emplace_back(PlotGroup{value, {}});
    for (size_t i = 0; i < table.rows.size(); ++i) {
      const std::optional<double>& found = table.rows[i].cells[index].value;
      if (factor.of_row[i] == value && found && std::isfinite(*found)) {
        group.points.push_back({names[i], *found * column.scale, 0});
        any = true;
      }
    }
  }
  if (!any) {
    return {};
  }
  return group_plot_svg(fmt::format("{}: {} by {}", group_name(column), column_title(column), factor.name),
                        axis_name(column), groups, column.digits);
}

}  // namespace

std::vector<std::string> row_names(const ResultTable& table) {
  const std::vector<std::string> titles = row_titles(table);
  std::unordered_map<std::string_view, size_t> counts;
  for (const std::string& title : titles) {
    ++counts[title];
  }
  std::vector<std::string> names = titles;
  for (size_t i = 0; i < titles.size(); ++i) {
    if (counts[titles[i]] > 1 && !table.rows[i].group.empty()) {
      names[i] = table.rows[i].group + ", " + titles[i];
    }
  }
  return names;
}

SweepFactors sweep_factors(const ResultTable& table, const Factors& factors) {
  std::vector<const Assignments*> of_grid;
  std::vector<const Assignments*> labels;
  std::vector<std::string> names;
  for (const TableRow& row : table.rows) {
    const auto found = factors.find(row.name);
    of_grid.push_back(found == factors.end() ? nullptr : &found->second);
    labels.push_back(&row.labels);
    if (found != factors.end()) {
      for (const auto& [name, value] : found->second) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          names.push_back(name);
        }
      }
    }
  }
  SweepFactors result;
  for (const std::string& name : names) {
    SweepFactor factor = factor_of(name, of_grid);
    if (factor.values.size() > kMostValues) {
      result.too_many.emplace_back(name, factor.values.size());
    } else if (factor.values.size() > 1) {
      result.drawn.push_back(std::move(factor));
    }
  }
  for (const std::string& name : table.label_names) {
    SweepFactor factor = factor_of(name, labels);
    if (factor.values.size() > 1 && factor.values.size() <= kMostValues &&
        std::none_of(result.drawn.begin(), result.drawn.end(),
                     [&](const SweepFactor& other) { return split_alike(other, factor); })) {
      result.drawn.push_back(std::move(factor));
    }
  }
  return result;
}

std::vector<size_t> plotted_columns(const ResultTable& table) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto same = std::find_if(columns.begin(), columns.end(), [&](size_t other) {
      return table.columns[other].dataset == table.columns[i].dataset;
    });
    if (same == columns.end()) {
      columns.push_back(i);
    } else if (table.columns[i].metric == "CIDEr" && table.columns[*same].metric != "CIDEr") {
      *same = i;
    }
  }
  return columns;
}

std::vector<PlotPoint> cost_points(const ResultTable& table, const std::vector<std::string>& names,
                                   size_t column, const RunIndex& runs) {
  std::vector<PlotPoint> points;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const TableRow& row = table.rows[i];
    const std::optional<double>& value = row.cells[column].value;
    const RunScores* run = runs.find(row.name, table.columns[column].dataset);
    if (value && std::isfinite(*value) && run != nullptr && run->images > 0 && run->seconds > 0) {
      points.push_back(
          {names[i], *value * table.columns[column].scale, run->seconds / static_cast<double>(run->images)});
    }
  }
  return points;
}

SweepPlots sweep_plots(const ResultTable& table, const RunIndex& runs, const Factors& factors) {
  SweepPlots plots;
  std::string& html = plots.html;
  const auto add = [&](const std::string& svg) {
    html += svg.empty() ? svg : "<figure>" + svg + "</figure>\n";
  };
  const std::vector<std::string> names = row_names(table);
  const std::vector<size_t> columns = plotted_columns(table);
  const SweepFactors found = sweep_factors(table, factors);
  for (const SweepFactor& factor : found.drawn) {
    for (const size_t column : columns) {
      add(factor_plot(table, names, column, factor));
    }
  }
  for (const size_t index : columns) {
    const TableColumn& column = table.columns[index];
    add(cost_plot_svg(fmt::format("{}: {} over cost", group_name(column), column_title(column)),
                      "seconds an image (logarithmic)", axis_name(column),
                      cost_points(table, names, index, runs), column.higher_is_better));
  }
  if (!html.empty()) {
    html = "<div class=\"plots\">\n" + html + "</div>\n";
    plots.note = "A dot is a row; the line of a cost plot joins those that no other row beats in both.";
    plots.note += table.rows.size() > kMostNamedDots
                      ? fmt::format(
                            " Of more than {} dots those of the line have their names first; the others "
                            "say theirs when pointed at.",
                            kMostNamedDots)
                      : "";
  }
  for (const auto& [name, count] : found.too_many) {
    plots.note += fmt::format("{}There is no plot by {}, which has {} values; at most {} are drawn.",
                              plots.note.empty() ? "" : " ", name, count, kMostValues);
  }
  return plots;
}

}  // namespace patchioner
