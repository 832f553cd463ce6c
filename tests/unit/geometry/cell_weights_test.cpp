// How the cells of a region are weighted (spec/01 sections 4.2, 4.3 and 4.8).
#include "geometry/cell_weights.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace patchioner;

namespace {

CellGrid grid(int64_t rows, int64_t columns, std::vector<double> values) {
  CellGrid result(rows, columns);
  result.values = std::move(values);
  return result;
}

/// The one cell with weight.
std::pair<int64_t, int64_t> only_cell(const CellGrid& weights) {
  CHECK(weights.sum() == 1);
  const PatchRange range = weights.support();
  CHECK(range.rows() == 1);
  CHECK(range.columns() == 1);
  return {range.row_begin, range.column_begin};
}

}  // namespace

TEST_CASE("gaussian weights fall with the distance to the middle of the range") {
  const CellGrid weights = gaussian_weights({1, 4, 0, 3}, 1.0, CellGrid(5, 4));
  CHECK(weights.at(2, 1) == 1);
  CHECK(weights.at(1, 1) == doctest::Approx(std::exp(-1.0)));
  CHECK(weights.at(3, 2) == doctest::Approx(std::exp(-2.0)));
  CHECK(weights.at(0, 1) == 0);
  CHECK(weights.at(2, 3) == 0);
}

TEST_CASE("gaussian weights of even sides have four middle cells") {
  const CellGrid weights = gaussian_weights({0, 2, 0, 2}, 0.5, CellGrid(2, 2));
  CHECK(weights.values == std::vector<double>{1, 1, 1, 1});
}

TEST_CASE("a tiny variance leaves the middle instead of nothing") {
  const CellGrid weights = gaussian_weights({0, 4, 0, 4}, 1e-6, CellGrid(4, 4));
  CHECK(weights.sum() == doctest::Approx(4));
  CHECK(weights.at(1, 1) == 1);
}

TEST_CASE("the central cell of an odd side is its middle, of an even side the lower of two") {
  CHECK(only_cell(central_weights({0, 5, 0, 3}, std::nullopt, CellGrid(5, 5))) ==
        std::pair<int64_t, int64_t>{2, 1});
  CHECK(only_cell(central_weights({1, 5, 2, 4}, std::nullopt, CellGrid(5, 5))) ==
        std::pair<int64_t, int64_t>{2, 2});
}

TEST_CASE("a seed draws between the two middle cells, the same every time") {
  std::set<std::pair<int64_t, int64_t>> seen;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    const auto cell = only_cell(central_weights({0, 4, 0, 4}, seed, CellGrid(4, 4)));
    CHECK(cell == only_cell(central_weights({0, 4, 0, 4}, seed, CellGrid(4, 4))));
    seen.insert(cell);
  }
  CHECK(seen == std::set<std::pair<int64_t, int64_t>>{{1, 1}, {1, 2}, {2, 1}, {2, 2}});
}

TEST_CASE("a gaussian on scattered cells spans their smallest rectangle") {
  const CellGrid weights = gaussian_among(grid(3, 4, {0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0}),
                                          1.0);  // columns 0 and 2: u = -1, 1; one row: u = -1
  CHECK(weights.values == std::vector<double>{0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0});
  const CellGrid three = gaussian_among(grid(1, 3, {1, 1, 1}), 2.0);
  CHECK(three.at(0, 0) == doctest::Approx(std::exp(-0.5)));
  CHECK(three.at(0, 1) == 1);
}

TEST_CASE(
    "central among scattered cells takes the nearest to the rectangle's centre, ties to the lower row, then "
    "column") {
  CHECK(only_cell(central_among(grid(3, 3, {1, 0, 1, 0, 0, 0, 1, 0, 1}))) ==
        std::pair<int64_t, int64_t>{0, 0});
  CHECK(only_cell(central_among(grid(3, 3, {0, 0, 1, 0, 0, 1, 1, 0, 0}))) ==
        std::pair<int64_t, int64_t>{1, 2});
}
