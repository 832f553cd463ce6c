// A table over runs: a row a config, a column a metric of a data set; what researchers put into papers.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/paired_bootstrap.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// Which number of the paper's tables stands beside a column's values.
struct PaperColumn {
  std::string task;     ///< "Dense Captioning (VG v1.2)"; empty where the table has one task
  std::string dataset;  ///< "VG v1.2", in table 2
  std::string metric;   ///< "C", "mAP" ...
};

/// How one column is made and shown.
struct TableColumn {
  std::string dataset;
  std::string metric;  ///< "CIDEr"
  std::string title;   ///< above the column; empty: the metric
  std::string group;   ///< above several columns; empty: the data set
  double scale = 100;  ///< values are multiplied by it
  int digits = 1;      ///< behind the point
  bool higher_is_better = true;
  std::optional<PaperColumn> paper;
  std::optional<double> tolerance = {};  ///< of the paper's numbers, in its scale; by default the table's
};

/// One cell. Either `value` or `failure` or neither (not run).
struct TableCell {
  std::optional<double> value;       ///< a fraction; `scale` is not applied
  std::string metric;                ///< what was found, "METEOR(no-paraphrase)"
  std::string failure;               ///< a sentence
  std::string log;                   ///< a path, of a failure
  std::optional<Interval> interval;  ///< 95 %, of the value
  std::optional<PairedDifference> against_baseline;
  std::optional<double> paper;     ///< as printed, in the scale of the column
  bool outside_tolerance = false;  ///< of the paper's number
};

struct TableRow {
  std::string name;
  std::string group;  ///< rows of one group stand together under its name
  std::vector<std::pair<std::string, std::string>>
      labels;  ///< "Encoder" -> "CLIP"; keys are columns before the numbers
  bool is_baseline = false;
  std::vector<TableCell> cells;  ///< parallel to the columns
};

struct ResultTable {
  std::string name;  ///< of the sweep; a word
  std::string title;
  std::vector<std::string> label_names;  ///< the columns before the numbers, in order
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;       ///< in the order of the sweep
  std::string baseline;             ///< a row's name, or empty
  std::optional<double> tolerance;  ///< of the paper's numbers, in their scale; set when they are shown
  std::vector<std::string> notes;   ///< sentences below the table
};

/// What decides how a table is filled beside the runs.
struct TableOptions {
  bool intervals = true;  ///< bootstrap intervals and differences to the baseline
  int64_t resamples = 2000;
  uint64_t seed = 42;
};

/// Fills the cells of `table` (whose columns and rows with names, groups and labels are set) from the runs; a
/// row's run is found by row and data set. A note is added for each metric that was had only in a variant,
/// and for each column that stays empty because no finished run of its data set has its metric, with those
/// that there are. Intervals come from items.jsonl of the runs' folders, one run in memory at a time; those
/// of mAP from images drawn with all of their detections (map_bootstrap.hpp), or a note says why it has none.
/// Differences to `table.baseline`, whose row is marked, are of items with the same place, of mAP of images
/// that both have, and of the same form of the metric. Throws an Error of kind usage for a baseline that is
/// no row.
void fill_table(ResultTable& table, const std::vector<RunScores>& runs, const TableOptions& options);

/// Marks of a column's best value (after rounding; ties all; none where only one row has a value). For
/// writers.
std::vector<std::vector<bool>> best_cells(const ResultTable& table);

// The same table in four forms. All are the same bytes for the same results, whenever and wherever they were
// computed.

/// For a terminal: aligned, failures as "failed", not run as "-", the best of each column marked by '*'
/// behind it, better or worse than the baseline (p < 0.05) by '+' or '-', the paper's number in brackets and
/// '!' behind one that is outside the tolerance; failures with reason and log below, then notes.
std::string table_text(const ResultTable& table);
/// A line a row: "row", "group", labels, and of each column "<data set>.<metric>", named as it was found,
/// with
/// "_metric" where rows have different forms of it; "_low" and "_high" where there are intervals, "_delta"
/// and
/// "_p" with a baseline, "_paper" with the paper; "failures" where there are some. Fractions in full
/// precision, the paper's too; quoted as RFC 4180 says, with '\n' at the ends.
std::string table_csv(const ResultTable& table);
/// GitHub's tables, best in bold, intervals in small print below the values.
std::string table_markdown(const ResultTable& table);
/// A tabular of booktabs with \multicolumn groups, best in \textbf, intervals as a second small line when
/// `intervals`, and notes below it.
std::string table_latex(const ResultTable& table, bool intervals);

}  // namespace patchioner
