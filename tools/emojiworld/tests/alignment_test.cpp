// Regions and texts that belong together.
#include "alignment.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "frozen.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

TEST_CASE("rows of their own texts cost little, and the same sentence is not held against itself") {
  const at::Tensor scale = at::scalar_tensor(4.0);
  const at::Tensor texts = at::eye(3);
  const Contrast right = contrast(texts, texts, scale, {"a dog", "a cat", "the sun"});
  CHECK(right.loss.item<double>() < 1e-6);
  CHECK(right.hits == 1);
  const Contrast wrong = contrast(texts.flip(0), texts, scale, {"a dog", "a cat", "the sun"});
  CHECK(wrong.loss.item<double>() > 10);
  const at::Tensor twice = at::eye(3).index_select(0, at::tensor({0, 0, 1}, at::kLong));
  CHECK(contrast(twice, twice, scale, {"a dog", "a dog", "a cat"}).loss.item<double>() < 1e-6);
  CHECK(contrast(twice, twice, scale, {"a dog", "a puppy", "a cat"}).loss.item<double>() > 0.4);
}

TEST_CASE("the sharpness of similarities is bounded as CLIP's") {
  CHECK(sharpness(at::scalar_tensor(9.0)).item<double>() == doctest::Approx(100).epsilon(1e-3));
  CHECK(sharpness(at::scalar_tensor(0.0)).item<double>() == doctest::Approx(1));
}

TEST_CASE("a region is the mean of the patches that its boxes touch") {
  const at::Tensor patches = at::arange(16, at::kFloat).reshape({1, 4, 4, 1});
  const auto mean = [&](std::vector<cv::Rect> boxes) {
    return region_means(patches, {{0, std::move(boxes)}}, 8).item<double>();
  };
  CHECK(mean({}) == 7.5);
  CHECK(mean({{0, 0, 7, 7}}) == 0);
  CHECK(mean({{0, 0, 9, 7}}) == 0.5);
  CHECK(mean({{0, 0, 7, 7}, {24, 24, 8, 8}}) == 7.5);
}

TEST_CASE("names of regions count single things alone") {
  const at::Tensor texts = at::eye(4);
  const at::Tensor vectors = texts.slice(0, 0, 3);
  const at::Tensor scale = at::scalar_tensor(4.0);
  const NamedRegions half = name_regions(vectors, at::tensor({0, 2, -1}, at::kLong), texts, scale);
  CHECK(half.right == 0.5);
  CHECK(half.loss.item<double>() > 1);
  CHECK(name_regions(vectors, at::tensor({-1, -1, -1}, at::kLong), texts, scale).loss.item<double>() == 0);
}
