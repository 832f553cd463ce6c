#include "nn/linear.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

at::Tensor random_tensor(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

double largest_difference(const at::Tensor& left, const at::Tensor& right) {
  REQUIRE(left.sizes() == right.sizes());
  return (left - right).abs().max().item<double>();
}

/// Layers made while this lives take the given path.
struct PathGuard {
  explicit PathGuard(LinearPath path) { set_linear_path(path); }
  ~PathGuard() { set_linear_path(LinearPath::automatic); }
};

constexpr std::array kActivations = {Activation::none,       Activation::gelu,   Activation::gelu_tanh,
                                     Activation::quick_gelu, Activation::silu,   Activation::relu,
                                     Activation::tanh,       Activation::sigmoid};

TEST_CASE("a linear layer multiplies by the transposed weight and adds the bias") {
  const Linear layer(at::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}).view({2, 3}),
                     at::tensor({10.0F, 20.0F}));
  const at::Tensor y = layer.forward(at::tensor({1.0F, 0.0F, -1.0F}).view({1, 1, 3}));
  CHECK(at::equal(y, at::tensor({8.0F, 18.0F}).view({1, 1, 2})));
  CHECK(layer.in_features() == 3);
}

TEST_CASE("activations have the values of their formulas at 1 and -2") {
  const at::Tensor x = at::tensor({1.0F, -2.0F});
  const std::vector<std::pair<Activation, std::array<float, 2>>> expected = {
      {Activation::none, {1.0F, -2.0F}},
      {Activation::gelu, {0.84134475F, -0.04550026F}},
      {Activation::gelu_tanh, {0.84119199F, -0.04540231F}},
      {Activation::quick_gelu, {0.84579577F, -0.06434138F}},
      {Activation::silu, {0.73105858F, -0.23840584F}},
      {Activation::relu, {1.0F, 0.0F}},
      {Activation::tanh, {0.76159416F, -0.96402758F}},
      {Activation::sigmoid, {0.73105858F, 0.11920292F}},
  };
  for (const auto& [activation, values] : expected) {
    const at::Tensor wanted = at::tensor({values[0], values[1]});
    CHECK(largest_difference(activate(x, activation), wanted) < 1e-6);
    CHECK(largest_difference(activate_in_place(x.clone(), activation), wanted) < 1e-6);
  }
}

TEST_CASE("the packed path gives the plain path's numbers, with every activation") {
  const at::Tensor weight = random_tensor({40, 24}, 1);
  const at::Tensor bias = random_tensor({40}, 2);
  const at::Tensor x = random_tensor({3, 5, 24}, 3);
  for (const Activation activation : kActivations) {
    for (const bool with_bias : {true, false}) {
      const at::Tensor used_bias = with_bias ? bias : at::Tensor();
      at::Tensor plain;
      at::Tensor packed;
      {
        const PathGuard guard(LinearPath::plain);
        plain = Linear(weight, used_bias).forward(x, activation);
      }
      {
        const PathGuard guard(LinearPath::packed);
        const Linear layer(weight, used_bias);
        packed = layer.forward(x, activation);
        CHECK(at::equal(layer.weight(), weight));
      }
      CHECK(largest_difference(plain, packed) < 2e-5);
    }
  }
}

TEST_CASE("a packed layer takes one row, many rows, strided rows and no rows") {
  const PathGuard guard(LinearPath::packed);
  const at::Tensor weight = random_tensor({7, 6}, 4);
  const Linear layer(weight, {});
  const at::Tensor x = random_tensor({6, 11}, 5);
  CHECK(largest_difference(layer.forward(x.t()), at::matmul(x.t(), weight.t())) < 1e-5);
  CHECK(largest_difference(layer.forward(x.t()[0]), at::mv(weight, x.t()[0])) < 1e-5);
  CHECK(layer.forward(at::zeros({0, 6})).sizes() == at::IntArrayRef({0, 7}));
}

TEST_CASE("bfloat16 differs from float32 by its rounding only, and keeps the input's type") {
  const at::Tensor weight = random_tensor({16, 32}, 6) / 8;
  const at::Tensor x = random_tensor({4, 32}, 7);
  const Linear layer(weight, {}, at::kBFloat16);
  const at::Tensor y = layer.forward(x);
  CHECK((y.scalar_type() == at::kFloat));
  CHECK(largest_difference(y, at::matmul(x, weight.t())) < 0.05);
  if (!fast_bfloat16()) {
    MESSAGE("this processor has no bfloat16 products: the layer computed in float32");
    CHECK(largest_difference(y, at::matmul(x, weight.t())) < 1e-5);
  }
}

TEST_CASE("gradients reach a trainable weight, its bias and the input") {
  const at::Tensor weight = at::tensor({2.0F, -1.0F}).view({1, 2}).requires_grad_(true);
  const at::Tensor bias = at::tensor({0.5F}).requires_grad_(true);
  const at::Tensor x = at::tensor({3.0F, 4.0F}).view({1, 2}).requires_grad_(true);
  const Linear layer(weight, bias);
  CHECK_FALSE(layer.is_packed());
  layer.forward(x).sum().backward();
  CHECK(at::equal(weight.grad(), at::tensor({3.0F, 4.0F}).view({1, 2})));
  CHECK(at::equal(bias.grad(), at::tensor({1.0F})));
  CHECK(at::equal(x.grad(), at::tensor({2.0F, -1.0F}).view({1, 2})));
}

TEST_CASE("a trainable layer follows its weight after an update in place") {
  const at::Tensor weight = at::ones({1, 2}).requires_grad_(true);
  const Linear layer(weight, {});
  {
    const at::NoGradGuard no_gradients;
    weight.mul_(3);
    CHECK(layer.forward(at::ones({1, 2})).item<float>() == 6.0F);
  }
}

TEST_CASE("gradients pass through a frozen packed layer to its input") {
  const PathGuard guard(LinearPath::packed);
  const Linear layer(at::tensor({2.0F, -1.0F}).view({1, 2}), {});
  REQUIRE(layer.is_packed());
  const at::Tensor x = at::tensor({3.0F, 4.0F}).view({1, 2}).requires_grad_(true);
  layer.forward(x, Activation::relu).sum().backward();
  CHECK(at::equal(x.grad(), at::tensor({2.0F, -1.0F}).view({1, 2})));
}

TEST_CASE("shapes that do not belong together are refused") {
  CHECK_THROWS_AS(Linear(at::ones({3}), {}), Error);
  CHECK_THROWS_AS(Linear(at::ones({3, 2}), at::ones({2})), Error);
  CHECK_THROWS_AS(Linear(at::ones({3, 2}), {}).forward(at::ones({1, 3})), Error);
}

}  // namespace
}  // namespace patchioner
