// The sections of a sweep file as they are written: one declaration each gives validation, defaults and help.
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "sweep/sweep_file.hpp"

namespace patchioner {

struct SweepSection {
  std::string name;
  std::string title;
  std::string output;
  std::string base;
  std::vector<std::string> set;
  Value datasets;
  std::vector<std::string> metrics;
  Value grid;
  Value exclude;
  Value rows;
  std::string baseline;
  Value table;
  Value paper;
  Value cache;
  int64_t resamples = 2000;
};

struct RowSection {
  std::string name;
  std::string group;
  Value labels;
  std::string config;
  std::vector<std::string> set;
  Value datasets;
  Value paper;
};

/// A value of a grid's key that is more than a word.
struct FactorSection {
  std::string name;
  std::vector<std::string> set;
  Value with;  ///< words that stand for {key} in the overrides of this row
  Value labels;
};

struct DatasetEntry {
  std::string name;
  std::string choice;
  std::vector<std::string> set;
};

struct TableSection {
  Value columns;
  std::vector<std::string> labels;
};

struct ColumnSection {
  std::string dataset;
  std::string metric;
  std::string title;
  std::string group;
  double scale = 100;
  int64_t digits = 1;
  bool lower_is_better = false;
  double tolerance = -1;
  Value paper;
};

struct PaperSection {
  std::string table;
  double tolerance = 1;
};

struct PaperColumnSection {
  std::string task;
  std::string dataset;
  std::string metric;
};

void declare(ParameterList<SweepSection>& list);
void declare(ParameterList<RowSection>& list);
void declare(ParameterList<FactorSection>& list);
void declare(ParameterList<DatasetEntry>& list);
void declare(ParameterList<TableSection>& list);
void declare(ParameterList<ColumnSection>& list);
void declare(ParameterList<PaperSection>& list);
void declare(ParameterList<PaperColumnSection>& list);
void declare(ParameterList<SweepCacheOptions>& list);

}  // namespace patchioner
