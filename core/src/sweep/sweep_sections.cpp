#include "sweep/sweep_sections.hpp"

namespace patchioner {

void declare(ParameterList<SweepSection>& list) {
  list.add("name", &SweepSection::name, "of the folder of results; by default the file's name");
  list.add("title", &SweepSection::title, "above the table");
  list.add("output", &SweepSection::output, "folder of results; by default runs/sweep/<name>");
  list.add("base", &SweepSection::base, "the config that rows start from, such as experiment/emoji");
  list.add("set", &SweepSection::set, "overrides of all rows, as on the command line");
  list.add("datasets", &SweepSection::datasets,
           "choices of configs/dataset, each a name or {name, choice, set}");
  list.add("metrics", &SweepSection::metrics, "of all runs (score.metrics)");
  list.add(
      "grid", &SweepSection::grid,
      "a map of overrides to lists of values; a row for each combination, the last key changing fastest");
  list.add("exclude", &SweepSection::exclude,
           "combinations of the grid that are left out: maps of keys to values");
  list.add("rows", &SweepSection::rows,
           "rows one by one: {name, group, labels, config, set, datasets, paper}");
  list.add("baseline", &SweepSection::baseline, "the row that others are compared with");
  list.add("table", &SweepSection::table, "{columns, labels}: what the table shows");
  list.add("paper", &SweepSection::paper, "{table, tolerance}: the paper's table beside ours");
  list.add("cache", &SweepSection::cache, "where what stages have computed is kept");
  list.add("resamples", &SweepSection::resamples, "of the paired bootstrap").range(100, 1e6);
}

void declare(ParameterList<RowSection>& list) {
  list.add("name", &RowSection::name, "of the row, unlike all others").required();
  list.add("group", &RowSection::group, "rows of a group stand together under its name");
  list.add("labels", &RowSection::labels, "what stands in the columns before the numbers");
  list.add("config", &RowSection::config, "by default the sweep's base");
  list.add("set", &RowSection::set, "overrides of this row");
  list.add("datasets", &RowSection::datasets,
           "those of the sweep that it runs on, each a name or {name, set}");
  list.add("paper", &RowSection::paper, "the paper's row: its label, or a map of its labels");
}

void declare(ParameterList<FactorSection>& list) {
  list.add("name", &FactorSection::name, "of the value").required();
  list.add("set", &FactorSection::set, "overrides of rows with this value");
  list.add("with", &FactorSection::with, "words that replace {key} in the row's overrides");
  list.add("labels", &FactorSection::labels, "what stands in the columns before the numbers");
}

void declare(ParameterList<DatasetEntry>& list) {
  list.add("name", &DatasetEntry::name, "as rows and columns name it").required();
  list.add("choice", &DatasetEntry::choice, "of configs/dataset; by default the name");
  list.add("set", &DatasetEntry::set, "overrides of runs on it");
}

void declare(ParameterList<TableSection>& list) {
  list.add("columns", &TableSection::columns,
           "each [dataset, metric] or {dataset, metric, title, group, scale, digits, lower_is_better, "
           "tolerance, paper}; "
           "by default all metrics of all data sets");
  list.add("labels", &TableSection::labels,
           "the columns before the numbers; by default all labels of the rows");
}

void declare(ParameterList<ColumnSection>& list) {
  list.add("dataset", &ColumnSection::dataset, "a data set of the sweep").required();
  list.add("metric", &ColumnSection::metric, "a metric's name").required();
  list.add("title", &ColumnSection::title, "above the column; by default the metric");
  list.add("group", &ColumnSection::group, "above several columns; by default the data set");
  list.add("scale", &ColumnSection::scale, "values are multiplied by it");
  list.add("digits", &ColumnSection::digits, "behind the point").range(0, 6);
  list.add("lower_is_better", &ColumnSection::lower_is_better, "the best value is the lowest");
  list.add("tolerance", &ColumnSection::tolerance,
           "of the paper's numbers in this column, in its scale; by default the sweep's")
      .unset()
      .range(0, 100);
  list.add("paper", &ColumnSection::paper, "the paper's column: its metric, or {task, dataset, metric}");
}

void declare(ParameterList<PaperSection>& list) {
  list.add("table", &PaperSection::table, "its number")
      .choices({"1", "2", "3", "4", "5", "6", "7"})
      .required();
  list.add("tolerance", &PaperSection::tolerance,
           "cells further away than this, in the table's scale, are marked")
      .range(0, 100);
}

void declare(ParameterList<PaperColumnSection>& list) {
  list.add("task", &PaperColumnSection::task, "as the paper's table heads it");
  list.add("dataset", &PaperColumnSection::dataset, "the same, in table 2");
  list.add("metric", &PaperColumnSection::metric, "C, P, mAP ...").required();
}

void declare(ParameterList<SweepCacheOptions>& list) {
  list.add("folder", &SweepCacheOptions::folder, "kept between sweeps, and shared by processes that join one")
      .path();
  list.add("limit", &SweepCacheOptions::limit,
           "most bytes of it, such as 50GB; what was used longest ago goes first; by default none");
  list.add("features", &SweepCacheOptions::features,
           "how features of patches are kept and read: half takes half the room and rounds them to ten bits")
      .choices({"fp32", "half"});
  list.add("lease_seconds", &SweepCacheOptions::lease_seconds,
           "another machine that gives no sign of life for so long has lost what it was computing")
      .range(1, 86400);
}

}  // namespace patchioner
