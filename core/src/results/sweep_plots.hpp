// Which plots a sweep has.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "results/result_table.hpp"
#include "results/run_index.hpp"
#include "results/svg_plots.hpp"

namespace patchioner {

/// What each row is called outside of the table: as the table's heads have it, with its group where others
/// are called the same.
std::vector<std::string> row_names(const ResultTable& table);

/// What rows differ in: a factor of a grid, or a label.
struct SweepFactor {
  std::string name;
  std::vector<std::string> values;  ///< in the order in which they come up
  std::vector<std::string> of_row;  ///< parallel to the table's rows; empty where a row has none
};

struct SweepFactors {
  std::vector<SweepFactor> drawn;
  /// Factors of the grid that have too many values for a plot, with the number of these.
  std::vector<std::pair<std::string, size_t>> too_many;
};

/// Drawn are the factors with 2 to 20 values, then the labels with as many that split the rows otherwise than
/// a factor before them. `factors` are by row.
SweepFactors sweep_factors(
    const ResultTable& table,
    const std::map<std::string, std::vector<std::pair<std::string, std::string>>>& factors);

/// The columns that plots show: of each data set that of CIDEr, else its first.
std::vector<size_t> plotted_columns(const ResultTable& table);

/// Rows with a value in the column, in its scale, over the seconds an image took; rows without a time are
/// left out. `names` are row_names.
std::vector<PlotPoint> cost_points(const ResultTable& table, const std::vector<std::string>& names,
                                   size_t column, const RunIndex& runs);

struct SweepPlots {
  std::string
      html;  ///< figures of a page: values by factor, then value over cost; empty: nothing has a value
  std::string note;  ///< sentences on how to read them, and on what is not drawn
};
SweepPlots sweep_plots(
    const ResultTable& table, const RunIndex& runs,
    const std::map<std::string, std::vector<std::pair<std::string, std::string>>>& factors);

}  // namespace patchioner
