// The projection onto a bank and its nearest rows (spec/01 section 5.1).
#include <cmath>

#include "test_banks.hpp"

namespace patchioner {
namespace {

using test::numbered;

/// The formula of the specification, all rows at once, in double.
at::Tensor plain_projection(const at::Tensor& features, const at::Tensor& rows,
                            const ProjectionOptions& options) {
  const at::Tensor x = features.to(at::kDouble);
  const at::Tensor memory = rows.to(at::kDouble);
  const at::Tensor unit_memory = memory / memory.norm(2, 1, true);
  const at::Tensor cosine = at::mm(x / x.norm(2, 1, true), unit_memory.t());                   // [R,M]
  const at::Tensor weights = at::softmax(cosine / options.temperature, 1);                     // [R,M]
  const at::Tensor result = at::mm(weights, options.normalize_memory ? unit_memory : memory);  // [R,D]
  return (options.normalize ? result / result.norm(2, 1, true) : result).to(at::kFloat);
}

TEST_CASE("a feature becomes the mean of the rows, weighted by a softmax over cosines") {
  // Cosines 1 and 0, temperature 1: weights e/(e+1) and 1/(e+1); rows of length 2 and 3.
  const auto bank =
      MemoryBank::from_memory(at::tensor({2.0F, 0.0F, 0.0F, 3.0F}).reshape({2, 2}), {"right", "up"});
  const at::Tensor feature = at::tensor({7.0F, 0.0F}).reshape({1, 2});
  const float first = std::exp(1.0F) / (std::exp(1.0F) + 1.0F);
  const float second = 1.0F - first;
  CHECK(at::allclose(bank->project(feature, {1.0, false, false}),
                     at::tensor({2 * first, 3 * second}).reshape({1, 2})));
  CHECK(
      at::allclose(bank->project(feature, {1.0, true, false}), at::tensor({first, second}).reshape({1, 2})));
  const float length = std::hypot(first, second);
  CHECK(at::allclose(bank->project(feature, {1.0, true, true}),
                     at::tensor({first / length, second / length}).reshape({1, 2})));
}

TEST_CASE("working in chunks gives what all rows at once give") {
  at::manual_seed(3);
  const at::Tensor rows = at::randn({150000, 8}) * at::rand({150000, 1}).add(0.5);
  const auto bank = MemoryBank::from_memory(rows, numbered(150000));
  const at::Tensor features = at::randn({5, 8}) * 3;
  for (const ProjectionOptions& options :
       {ProjectionOptions{0.01, false, true}, ProjectionOptions{0.05, true, false},
        ProjectionOptions{1, false, false}}) {
    CHECK(at::allclose(bank->project(features, options), plain_projection(features, rows, options), 2e-3,
                       2e-4));
  }
}

TEST_CASE("many features are worked through in blocks") {
  at::manual_seed(4);
  const at::Tensor rows = at::randn({5000, 4});
  const auto bank = MemoryBank::from_memory(rows, numbered(5000));
  const at::Tensor features = at::randn({2500, 4});
  CHECK(at::allclose(bank->project(features, {}), plain_projection(features, rows, {}), 2e-3, 2e-4));
  CHECK(bank->project(features.narrow(0, 0, 0), {}).sizes() == at::IntArrayRef({0, 4}));
}

TEST_CASE("features are never changed") {
  const auto bank = MemoryBank::from_memory(at::eye(3), numbered(3));
  const at::Tensor features = at::full({2, 3}, 5.0F);
  (void)bank->project(features, {});
  (void)bank->nearest(features, 2, 0.01);
  CHECK(at::equal(features, at::full({2, 3}, 5.0F)));
}

TEST_CASE("a tiny temperature picks the nearest row without overflow") {
  const auto bank = MemoryBank::from_memory(at::eye(3), numbered(3));
  const at::Tensor result =
      bank->project(at::tensor({0.1F, 0.9F, 0.2F}).reshape({1, 3}), {1e-6, false, true});
  CHECK(at::equal(result, at::tensor({0.0F, 1.0F, 0.0F}).reshape({1, 3})));
}

TEST_CASE("a feature of zeros gives NaN, as in the reference, and disturbs no other") {
  const auto bank = MemoryBank::from_memory(at::eye(2), numbered(2));
  const at::Tensor result = bank->project(at::tensor({0.0F, 0.0F, 1.0F, 0.0F}).reshape({2, 2}), {});
  CHECK(result[0].isnan().all().item<bool>());
  CHECK(result[1].isfinite().all().item<bool>());
}

TEST_CASE("a feature of another width is refused with both widths") {
  const auto bank = MemoryBank::from_memory(at::eye(2), numbered(2));
  const std::string message = refusal_of(ErrorKind::data, [&] { (void)bank->project(at::ones({1, 3}), {}); });
  CHECK(contains(message, "width 3"));
  CHECK(contains(message, "width 2"));
  (void)refusal_of(ErrorKind::data, [&] { (void)bank->nearest(at::ones({2}), 1, 0.01); });
}

TEST_CASE("the nearest rows come in order, with their share of the softmax") {
  const at::Tensor rows = at::tensor({1.0F, 0.0F, 0.0F, 2.0F, 3.0F, 3.0F}).reshape({3, 2});
  const auto bank = MemoryBank::from_memory(rows, {"right", "up", "between"});
  const auto matches = bank->nearest(at::tensor({0.0F, 4.0F}).reshape({1, 2}), 5, 1.0);
  REQUIRE(matches.size() == 1);
  REQUIRE(matches[0].size() == 3);
  CHECK(matches[0][0].text == "up");
  CHECK(matches[0][0].row == 1);
  CHECK(matches[0][0].similarity == doctest::Approx(1.0));
  CHECK(matches[0][1].text == "between");
  CHECK(matches[0][1].similarity == doctest::Approx(std::sqrt(0.5)));
  CHECK(matches[0][2].text == "right");
  const double sum = std::exp(1.0) + std::exp(std::sqrt(0.5)) + 1.0;
  CHECK(matches[0][0].weight == doctest::Approx(std::exp(1.0) / sum));
  CHECK(matches[0][2].weight == doctest::Approx(1.0 / sum));
}

TEST_CASE("of equal rows the first one is nearest, also across chunks") {
  at::Tensor rows = at::zeros({140000, 2});
  rows.select(1, 0).fill_(1.0F);
  rows[70001][0] = 0.0F;
  rows[70001][1] = 1.0F;
  rows[139999][0] = 0.0F;
  rows[139999][1] = 1.0F;
  const auto bank = MemoryBank::from_memory(rows, numbered(140000));
  const auto matches = bank->nearest(at::tensor({0.0F, 1.0F}).reshape({1, 2}), 3, 0.01);
  CHECK(matches[0][0].row == 70001);
  CHECK(matches[0][1].row == 139999);
  CHECK(matches[0][2].row == 0);
}

TEST_CASE("no matches are asked for, none are given") {
  const auto bank = MemoryBank::from_memory(at::eye(2), numbered(2));
  const auto matches = bank->nearest(at::ones({2, 2}), 0, 0.01);
  REQUIRE(matches.size() == 2);
  CHECK(matches[0].empty());
}

}  // namespace
}  // namespace patchioner
