#include "nn/dropout.hpp"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

namespace patchioner {
namespace {

TEST_CASE("dropout with rate 0 hands its input on and draws nothing") {
  const at::Tensor x = at::ones({3});
  at::manual_seed(5);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(5);
  CHECK(dropout(x, 0).is_same(x));
  CHECK(at::equal(at::rand({4}), expected));
}

TEST_CASE("dropout zeroes the asked share and scales the rest") {
  at::manual_seed(1);
  const at::Tensor y = dropout(at::ones({1000, 1001}), 0.1);
  const double zeros = (y == 0).to(at::kDouble).mean().item<double>();
  CHECK(zeros == doctest::Approx(0.1).epsilon(0.015));  // five standard deviations of a million draws
  CHECK(y.max().item<double>() == doctest::Approx(1 / 0.9));
  CHECK(((y == 0) | (y == y.max())).all().item<bool>());
  // Neither the rows nor neighbours go together.
  CHECK((y == 0).to(at::kDouble).mean(1).std().item<double>() < 0.012);
  const at::Tensor dropped = (y == 0).to(at::kDouble).view({-1});
  const double pairs = (dropped.slice(0, 1) * dropped.slice(0, 0, -1)).mean().item<double>();
  CHECK(pairs == doctest::Approx(0.01).epsilon(0.05));
}

TEST_CASE("a seed repeats the mask, whatever the number of threads, and a second draw differs") {
  const at::Tensor x = at::ones({300, 333});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  at::manual_seed(9);
  const at::Tensor alone = dropout(x, 0.3);
  at::set_num_threads(4);
  at::manual_seed(9);
  const at::Tensor together = dropout(x, 0.3);
  CHECK(at::equal(alone, together));
  CHECK_FALSE(at::equal(dropout(x, 0.3), together));
  at::set_num_threads(threads);
}

TEST_CASE("the gradient goes where the numbers were kept") {
  at::Tensor x = at::ones({50}).requires_grad_(true);
  const at::Tensor y = dropout(x, 0.5);
  y.sum().backward();
  CHECK(at::equal(x.grad(), y.detach()));  // the input is 1 everywhere
}

}  // namespace
}  // namespace patchioner
