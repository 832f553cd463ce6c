#include "geometry/cell_grid.hpp"

#include <algorithm>
#include <numeric>

namespace patchioner {

double CellGrid::sum() const {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

CellGrid& CellGrid::scale(double factor) {
  for (double& value : values) {
    value *= factor;
  }
  return *this;
}

CellGrid& CellGrid::add(const CellGrid& other) {
  std::transform(values.begin(), values.end(), other.values.begin(), values.begin(), std::plus<>());
  return *this;
}

PatchRange CellGrid::support() const {
  PatchRange range{rows, 0, columns, 0};
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      if (at(row, column) > 0) {
        range.row_begin = std::min(range.row_begin, row);
        range.row_end = std::max(range.row_end, row + 1);
        range.column_begin = std::min(range.column_begin, column);
        range.column_end = std::max(range.column_end, column + 1);
      }
    }
  }
  return range.row_end == 0 ? PatchRange{} : range;
}

}  // namespace patchioner
