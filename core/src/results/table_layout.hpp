// What the four forms of a result table share: which rows and columns stand together, what is said where.
#pragma once

#include <string>
#include <vector>

#include "results/result_table.hpp"

namespace patchioner {

/// "27.9": with that many digits behind the point, never "-0.0".
std::string shown_number(double value, int digits);
/// The same of a fraction in the scale of its column.
std::string shown_value(const TableColumn& column, double value);

/// Above a column.
std::string column_title(const TableColumn& column);

/// Columns beside each other under one name.
struct ColumnGroup {
  std::string title;
  size_t first = 0;
  size_t count = 0;
};
std::vector<ColumnGroup> column_groups(const ResultTable& table);

/// Rows of one group, in the order of its first.
struct RowGroup {
  std::string name;  ///< empty: rows without a group
  std::vector<size_t> rows;
};
std::vector<RowGroup> row_groups(const ResultTable& table);

/// What stands before the numbers: the label columns and, where they do not tell all rows apart or there are
/// none, the rows' names.
struct RowHeads {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> cells;  ///< of each row, parallel to the titles
};
RowHeads row_heads(const ResultTable& table);

/// What each row is called in a sentence: as its heads have it.
std::vector<std::string> row_titles(const ResultTable& table);

/// 1: better than the baseline, -1: worse, 0: neither, at p < 0.05.
int significance(const TableColumn& column, const TableCell& cell);

/// A run without numbers, once for all its columns.
struct TableFailure {
  std::string row;
  std::string dataset;
  std::string reason;
  std::string log;
};
std::vector<TableFailure> table_failures(const ResultTable& table);

// Whether any cell has one.
bool has_intervals(const ResultTable& table);
bool has_differences(const ResultTable& table);
bool has_paper_numbers(const ResultTable& table);

/// What the bootstrap draws: "items", of mAP "images", "items, of mAP over images" where there are both.
std::string drawn_things(const ResultTable& table);
/// "better or worse (p < 0.05, paired bootstrap over items) than CLIP", of the marks of significance.
std::string significance_legend(const ResultTable& table);
/// How far the paper's numbers may be away: "1, 0.01 of mAP".
std::string tolerance_words(const ResultTable& table);
/// "the paper's numbers; !: ours is further than 0.1 from it", of the numbers in brackets.
std::string paper_legend(const ResultTable& table);

/// A text on one line.
std::string one_line(std::string text);

}  // namespace patchioner
