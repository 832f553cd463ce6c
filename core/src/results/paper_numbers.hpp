// The tables of "One Patch to Caption Them All" as printed, which come with the program as
// configs/paper/tables.json: {"note": what scales the values have, "tables": [{"table": "2", "title", "rows":
// [{"group"?, "label" or "labels": {name: label}, "cells": [{"task"?, "dataset"?, "metric", "value": a number
// or null for a dash, "mark"?}]}]}]}.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/result_table.hpp"

namespace patchioner {

/// Which row of a paper's table stands beside a row of ours: every label of it that is given must be equal.
struct PaperRow {
  std::string label;  ///< tables 2 and 7: the row's label, or its beginning
  std::vector<std::pair<std::string, std::string>> labels;  ///< the others: {"Encoder": "CLIP", ...}
};

class PaperTables {
 public:
  /// Reads the file of tables. Throws an Error of kind data with the place when it is damaged.
  static PaperTables read(const std::filesystem::path& file);

  /// The value as printed; nullopt where the paper prints a dash. What a column leaves empty is not asked
  /// for. Throws an Error of kind config, with the nearest names, for a table, row or column that there is
  /// not, or that names several.
  std::optional<double> value(const std::string& table, const PaperRow& row, const PaperColumn& column) const;

 private:
  struct Cell;
  struct Row;
  struct Table;
  std::vector<std::shared_ptr<const Table>> tables_;
};

/// The file of tables among the program's configs. Throws an Error of kind config when it is not there.
std::filesystem::path paper_tables_file();

/// Sets the paper's number of every cell whose row and column have a place in the paper's `paper_table`, and
/// whether ours lies further than `tolerance` from it, in the column's scale; a note counts those. `rows` are
/// parallel to those of the table, whose cells are filled. Errors as PaperTables::value.
void add_paper_numbers(ResultTable& table, const PaperTables& papers, const std::string& paper_table,
                       const std::vector<std::optional<PaperRow>>& rows, double tolerance);

}  // namespace patchioner
