// A sweep file: which configs, on which data sets, into which table (docs/sweeps.md).
#pragma once

#include <filesystem>
#include <optional>
#include <patchioner/value.hpp>
#include <string>
#include <utility>
#include <vector>

#include "results/paper_numbers.hpp"
#include "results/result_table.hpp"

namespace patchioner {

/// A data set of a sweep: a choice of configs/dataset and what is changed of it.
struct SweepDataset {
  std::string name;                    ///< as rows and columns name it
  std::string choice;                  ///< of configs/dataset, or a file of one; by default the name
  std::vector<std::string> overrides;  ///< of runs on it
  Origin origin;
};

/// A data set that a row runs on, and what is changed for it alone.
struct RowDataset {
  size_t dataset = 0;  ///< its place in Sweep::datasets
  std::vector<std::string> overrides;
};

/// One config of a sweep, before it is composed.
struct SweepRow {
  std::string name;
  std::string group;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string config;  ///< a file or a name like "experiment/emoji"
  std::vector<std::string> overrides;
  std::vector<RowDataset> datasets;
  std::vector<std::pair<std::string, std::string>> factors;  ///< of a grid: key -> name of the value
  std::optional<PaperRow> paper;
  Origin origin;
};

/// The section `cache`.
struct SweepCacheOptions {
  std::string folder = "runs/cache";
  std::string limit;              ///< "50 GB"; empty: none
  std::string features = "fp32";  ///< what dense features are kept in: "fp32" or "half"
  double lease_seconds = 60;
};

struct Sweep {
  std::string name;  ///< a word; of the folder of results
  std::string title;
  std::filesystem::path file;
  std::string output;                       ///< a folder; runs/sweep/<name> unless said
  std::vector<std::string> overrides;       ///< of all rows, before those of data set and row
  std::vector<std::string> last_overrides;  ///< of the command line: after them
  std::vector<SweepDataset> datasets;
  std::vector<SweepRow> rows;
  std::string baseline;
  SweepCacheOptions cache;
  bool default_columns = false;          ///< the file names no columns: they are its metrics on each data set
  std::vector<TableColumn> columns;      ///< empty: all metrics of all data sets
  std::vector<std::string> label_names;  ///< columns before the numbers
  std::string paper_table;               ///< "1" to "7", or empty
  double paper_tolerance = 0;            ///< in the table's scale
  int64_t resamples = 2000;

  const SweepRow* find_row(const std::string& name) const;
};

/// The overrides of a row's run on one of its data sets, in the order in which they count.
std::vector<std::string> overrides_of(const Sweep& sweep, const SweepRow& row, const RowDataset& on);

/// Reads a sweep file; `overrides` are added to those of all rows. Everything that needs no config is
/// checked: throws an Error of kind config with file:line:column for unknown keys, a sweep without rows, two
/// rows or data sets of one name, a baseline, a data set or an excluded value that there is not, and
/// placeholders without a value.
Sweep read_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// A name as a folder's: letters, digits, '.', '_', '-' stay, everything else is '_'; different names stay
/// different.
std::string folder_name(const std::string& name);

}  // namespace patchioner
