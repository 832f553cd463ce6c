#include "nn/position_table.hpp"

#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

/// A table of width 1 for a 2 x 2 grid whose columns hold 0 and 1, behind the class row 7.
at::Tensor small_table() {
  return at::tensor({7.0F, 0.0F, 1.0F, 0.0F, 1.0F}).view({5, 1});
}

/// The values along one row of the grid after resampling to 3 x 3; worked out by hand from the kernels of
/// spec/02 section 1.1.
void check_row(PositionRule rule, std::array<float, 3> expected) {
  const at::Tensor table = resample_positions(small_table(), 3, 3, rule);
  REQUIRE(table.sizes() == at::IntArrayRef({10, 1}));
  CHECK(table[0].item<float>() == 7.0F);
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t column = 0; column < 3; ++column) {
      CHECK(table[1 + row * 3 + column].item<float>() == doctest::Approx(expected[column]).epsilon(1e-4));
    }
  }
}

TEST_CASE("bilinear resampling interpolates and clamps at the border") {
  check_row(PositionRule::bilinear, {0.0F, 0.5F, 1.0F});
}

TEST_CASE("plain bicubic uses a = -0.75") {
  check_row(PositionRule::bicubic, {-0.0868056F, 0.5F, 1.0868056F});
}

TEST_CASE("antialiased bicubic uses a = -0.5 also when enlarging") {
  check_row(PositionRule::bicubic_aa, {-0.0657895F, 0.5F, 1.0657895F});
}

TEST_CASE("the offset rule samples with (n + 0.1) / M") {
  check_row(PositionRule::bicubic_offset, {-0.09003F, 0.46372F, 1.06664F});
}

TEST_CASE(
    "the native grid gives the table back untouched, a grid of as many cells in another shape does not") {
  const at::Tensor table = at::arange(17, at::kFloat).view({17, 1});
  CHECK(at::equal(resample_positions(table, 4, 4, PositionRule::bicubic_offset), table));
  const at::Tensor other = resample_positions(table, 2, 8, PositionRule::bicubic_offset);
  CHECK(other.sizes() == table.sizes());
  CHECK_FALSE(at::allclose(other, table));
}

TEST_CASE(
    "the offset rule resamples the native grid of an input that is not square, the other rules do not") {
  const at::Tensor table = resample_positions(small_table(), 2, 2, PositionRule::bicubic_offset, false);
  // Sampled at (i + 0.5) / 1.05 - 0.5, where 1.05 is (2 + 0.1) / 2, with the kernel of a = -0.75.
  CHECK(at::allclose(table.flatten(), at::tensor({7.0F, -0.017017F, 0.942784F, -0.017017F, 0.942784F}), 1e-4,
                     1e-5));
  for (const PositionRule rule : {PositionRule::bicubic_aa, PositionRule::bicubic, PositionRule::bilinear,
                                  PositionRule::bicubic_offset_by_count}) {
    CHECK(at::equal(resample_positions(small_table(), 2, 2, rule, false), small_table()));
  }
}

TEST_CASE("the offset rule by count leaves any grid of as many cells alone, and resamples the others") {
  constexpr PositionRule kByCount = PositionRule::bicubic_offset_by_count;
  const at::Tensor table = at::arange(17, at::kFloat).view({17, 1});
  CHECK(at::equal(resample_positions(table, 2, 8, kByCount), table));
  CHECK(at::equal(resample_positions(table, 8, 2, kByCount, false), table));
  CHECK(at::equal(resample_positions(table, 3, 5, kByCount),
                  resample_positions(table, 3, 5, PositionRule::bicubic_offset)));
}

TEST_CASE("rows come before columns in grids that are not square") {
  const at::Tensor table = resample_positions(small_table(), 1, 4, PositionRule::bilinear);
  REQUIRE(table.size(0) == 5);
  CHECK(table[1].item<float>() == doctest::Approx(0.0));
  CHECK(table[2].item<float>() == doctest::Approx(0.25));
  CHECK(table[3].item<float>() == doctest::Approx(0.75));
  CHECK(table[4].item<float>() == doctest::Approx(1.0));
}

TEST_CASE("gradients reach the table through every rule") {
  for (const PositionRule rule : {PositionRule::bicubic_aa, PositionRule::bicubic, PositionRule::bilinear,
                                  PositionRule::bicubic_offset}) {
    const at::Tensor table = small_table().requires_grad_(true);
    resample_positions(table, 3, 2, rule).sum().backward();
    CHECK(table.grad().sum().item<float>() == doctest::Approx(7.0));  // each of 7 rows is a weighted mean
  }
}

TEST_CASE("a table keeps what grids took of it, each by itself, unless it is trained") {
  const at::Tensor rows = small_table();
  const PositionTable table(rows.unsqueeze(0), PositionRule::bicubic_offset);
  const at::Tensor first = table.at(3, 2);
  CHECK(at::equal(first, resample_positions(rows, 3, 2, PositionRule::bicubic_offset)));
  CHECK(table.at(3, 2).is_same(first));
  CHECK(at::equal(table.at(2, 3), resample_positions(rows, 2, 3, PositionRule::bicubic_offset)));
  CHECK(
      at::equal(table.at(3, 2, false), resample_positions(rows, 3, 2, PositionRule::bicubic_offset, false)));
  const PositionTable trained(small_table().requires_grad_(true), PositionRule::bilinear);
  CHECK_FALSE(trained.at(3, 2).is_same(trained.at(3, 2)));
  const at::NoGradGuard no_gradients;
  CHECK_FALSE(trained.at(3, 2).is_same(trained.at(3, 2)));
}

TEST_CASE("a table without a square number of patch rows is refused") {
  CHECK_THROWS_AS(resample_positions(at::zeros({4, 2}), 2, 2, PositionRule::bilinear), Error);
  CHECK_THROWS_AS(position_grid(1), Error);
  CHECK(position_grid(1370) == 37);
}

TEST_CASE("rules have the names that options use") {
  CHECK(position_rule_from("bicubic_aa") == PositionRule::bicubic_aa);
  CHECK(to_string(PositionRule::bicubic_offset) == "bicubic_offset");
  CHECK_THROWS_WITH_AS(position_rule_from("bicubik"), doctest::Contains("did you mean 'bicubic'"), Error);
}

}  // namespace
}  // namespace patchioner
