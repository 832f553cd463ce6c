#include "report/heat_map.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace patchioner;

TEST_CASE("the largest weight glows and no weight is veiled") {
  const at::Tensor weights = at::zeros({2, 2}, at::kFloat);
  weights[0][1] = 0.8;
  const at::Tensor map = heat_map(weights, 4, 4, HeatInterpolation::nearest);
  REQUIRE(map.sizes() == at::IntArrayRef({4, 4, 4}));
  // OpenCV's inferno ends in 252,255,164 and starts in 0,0,4 (RGB); opacity 0.38 and 0.62.
  CHECK(map[0][3].equal(at::tensor({252, 255, 164, 97}, at::kByte)));
  CHECK(map[3][0].equal(at::tensor({0, 0, 4, 158}, at::kByte)));
}

TEST_CASE("weights that say nothing give a transparent map") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const at::Tensor& weights :
       {at::zeros({3, 3}), at::full({3, 3}, 0.111F), at::full({3, 3}, nan), at::zeros({0, 0})}) {
    CHECK(heat_map(weights, 6, 6, HeatInterpolation::bicubic).sum().item<int64_t>() == 0);
  }
}

TEST_CASE("a map that reaches over the border is cut off") {
  const at::Tensor pixels = at::full({4, 4, 3}, 200, at::kByte);
  at::Tensor layer = at::zeros({6, 6, 4}, at::kByte);
  layer.select(2, 3).fill_(255);
  const at::Tensor result = lay_over(pixels, layer, -4, 2);
  CHECK(result[3][1][0].item<int>() == 0);
  CHECK(result[3][2][0].item<int>() == 200);
  CHECK(result[1][1][0].item<int>() == 200);
  CHECK(pixels.min().item<int>() == 200);
  CHECK(lay_over(pixels, layer, 40, 40).equal(pixels));
}
