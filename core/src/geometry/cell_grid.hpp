// Numbers on the cells of a patch grid, and rectangles of cells: what regions become before they are tensors.
#pragma once

#include <cstdint>
#include <patchioner/geometry.hpp>
#include <vector>

namespace patchioner {

/// Cells [row_begin,row_end) x [column_begin,column_end), counted from 0 at the top left.
struct PatchRange {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  int64_t column_begin = 0;
  int64_t column_end = 0;

  int64_t rows() const { return row_end > row_begin ? row_end - row_begin : 0; }
  int64_t columns() const { return column_end > column_begin ? column_end - column_begin : 0; }
  bool empty() const { return rows() == 0 || columns() == 0; }

  friend bool operator==(const PatchRange&, const PatchRange&) = default;
};

/// One number a cell, row-major, row 0 at the top.
struct CellGrid {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values;  ///< [rows * columns]

  CellGrid() = default;
  CellGrid(int64_t rows_, int64_t columns_) : rows(rows_), columns(columns_), values(rows_ * columns_) {}
  explicit CellGrid(const ImageGeometry& geometry) : CellGrid(geometry.rows, geometry.columns) {}

  double& at(int64_t row, int64_t column) { return values[row * columns + column]; }
  double at(int64_t row, int64_t column) const { return values[row * columns + column]; }

  double sum() const;

  /// Every value times `factor`.
  CellGrid& scale(double factor);

  /// The other grid's values, which has the same size, added to these.
  CellGrid& add(const CellGrid& other);

  PatchRange whole() const { return {0, rows, 0, columns}; }

  /// The smallest rectangle that holds every cell above 0; empty when there is none.
  PatchRange support() const;
};

}  // namespace patchioner
