#include "geometry/cell_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/split_mix.hpp"

namespace patchioner {
namespace {

/// The i-th of n values from -1 to 1; -1 when there is one, as PyTorch's linspace gives.
double linspace(int64_t i, int64_t n) {
  return n == 1 ? -1.0 : -1.0 + 2.0 * static_cast<double>(i) / static_cast<double>(n - 1);
}

double smallest_square(int64_t n) {
  const double middle = linspace((n - 1) / 2, n);
  return middle * middle;
}

int64_t middle_of(int64_t begin, int64_t size, bool upper) {
  return begin + (size % 2 == 1 || upper ? size / 2 : size / 2 - 1);
}

}  // namespace

CellGrid uniform_weights(const PatchRange& range, const CellGrid& like) {
  CellGrid weights(like.rows, like.columns);
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      weights.at(row, column) = 1;
    }
  }
  return weights;
}

CellGrid gaussian_weights(const PatchRange& range, double variance, const CellGrid& like) {
  CellGrid weights(like.rows, like.columns);
  // The smallest exponent is taken out, which changes nothing after the division by the sum and keeps small
  // variances from vanishing.
  const double least = smallest_square(std::max<int64_t>(range.rows(), 1)) +
                       smallest_square(std::max<int64_t>(range.columns(), 1));
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    const double y = linspace(row - range.row_begin, range.rows());
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      const double x = linspace(column - range.column_begin, range.columns());
      weights.at(row, column) = std::exp(-(x * x + y * y - least) / variance);
    }
  }
  return weights;
}

CellGrid central_weights(const PatchRange& range, std::optional<uint64_t> seed, const CellGrid& like) {
  CellGrid weights(like.rows, like.columns);
  if (range.empty()) {
    return weights;
  }
  uint64_t draw = 0;
  if (seed.has_value()) {
    draw = *seed;
    for (const int64_t side : {range.row_begin, range.row_end, range.column_begin, range.column_end}) {
      draw = split_mix((draw ^ static_cast<uint64_t>(side)) + kSplitMixStep);
    }
  }
  const int64_t row = middle_of(range.row_begin, range.rows(), (draw & 1) != 0);
  const int64_t column = middle_of(range.column_begin, range.columns(), (draw & 2) != 0);
  weights.at(row, column) = 1;
  return weights;
}

CellGrid gaussian_among(const CellGrid& weights, double variance) {
  const PatchRange range = weights.support();
  CellGrid result(weights.rows, weights.columns);
  // Sparse cells may all lie far from the centre: the smallest exponent among those with weight is taken out.
  const auto exponent = [&](int64_t row, int64_t column) {
    const double y = linspace(row - range.row_begin, range.rows());
    const double x = linspace(column - range.column_begin, range.columns());
    return x * x + y * y;
  };
  double least = std::numeric_limits<double>::infinity();
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      if (weights.at(row, column) > 0) {
        least = std::min(least, exponent(row, column));
      }
    }
  }
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      result.at(row, column) =
          weights.at(row, column) * std::exp(-(exponent(row, column) - least) / variance);
    }
  }
  return result;
}

CellGrid central_among(const CellGrid& weights) {
  const PatchRange range = weights.support();
  CellGrid result(weights.rows, weights.columns);
  if (range.empty()) {
    return result;
  }
  // Twice the distance to the centre keeps everything in integers.
  int64_t nearest = std::numeric_limits<int64_t>::max();
  int64_t best_row = 0;
  int64_t best_column = 0;
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      const int64_t dy = 2 * row - (range.row_begin + range.row_end - 1);
      const int64_t dx = 2 * column - (range.column_begin + range.column_end - 1);
      if (weights.at(row, column) > 0 && dy * dy + dx * dx < nearest) {
        nearest = dy * dy + dx * dx;
        best_row = row;
        best_column = column;
      }
    }
  }
  result.at(best_row, best_column) = 1;
  return result;
}

CellGrid product(const CellGrid& weights, const CellGrid& map) {
  CellGrid result(weights.rows, weights.columns);
  std::transform(weights.values.begin(), weights.values.end(), map.values.begin(), result.values.begin(),
                 std::multiplies<>());
  return result;
}

}  // namespace patchioner
