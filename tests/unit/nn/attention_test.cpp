#include "nn/attention.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

at::Tensor random_tensor(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

/// Two tokens of width 1: queries 1 and 0, keys 0 and 1, values 10 and 20.
at::Tensor two_tokens() {
  return at::tensor({1.0F, 0.0F, 10.0F, 0.0F, 1.0F, 20.0F}).view({1, 2, 3});
}

TEST_CASE("attention is the softmax of scaled products applied to the values") {
  const at::Tensor mixed = multi_head_attention(two_tokens(), 1);
  // Token 0: logits 0 and 1, so weights 1/(1+e) and e/(1+e). Token 1: equal logits.
  CHECK(mixed[0][0][0].item<float>() == doctest::Approx(17.3105858));
  CHECK(mixed[0][1][0].item<float>() == doctest::Approx(15.0));
}

TEST_CASE("a causal mask hides later tokens, a diagonal one all others") {
  const at::Tensor causal = multi_head_attention(two_tokens(), 1, AttentionMask::causal);
  CHECK(causal[0][0][0].item<float>() == doctest::Approx(10.0));
  CHECK(causal[0][1][0].item<float>() == doctest::Approx(15.0));
  const at::Tensor diagonal = multi_head_attention(two_tokens(), 1, AttentionMask::diagonal);
  CHECK(at::equal(diagonal.flatten(), at::tensor({10.0F, 20.0F})));
}

TEST_CASE("heads cut the columns of queries, keys and values one after the other") {
  const at::Tensor qkv = at::arange(12, at::kFloat).view({1, 1, 12});
  const auto [q, k, v] = split_heads(qkv, 2);
  REQUIRE(q.sizes() == at::IntArrayRef({1, 2, 1, 2}));
  CHECK(at::equal(q.flatten(), at::tensor({0.0F, 1.0F, 2.0F, 3.0F})));
  CHECK(at::equal(k[0][1].flatten(), at::tensor({6.0F, 7.0F})));
  CHECK(at::equal(v[0][0].flatten(), at::tensor({8.0F, 9.0F})));
}

TEST_CASE("the fused operator agrees with written-out attention") {
  const at::Tensor qkv = random_tensor({2, 37, 3 * 24}, 1);
  const auto [q, k, v] = split_heads(qkv, 3);
  const at::Tensor expected =
      at::matmul(attention_probabilities(qkv, 3), v).transpose(1, 2).reshape({2, 37, 24});
  CHECK(at::allclose(multi_head_attention(qkv, 3), expected, 1e-5, 1e-5));
}

TEST_CASE("gradients pass through attention") {
  const at::Tensor qkv = random_tensor({1, 5, 3 * 8}, 2).requires_grad_(true);
  multi_head_attention(qkv, 2, AttentionMask::causal).square().sum().backward();
  CHECK(qkv.grad().abs().sum().item<float>() > 0.1F);
}

TEST_CASE("class logits drop the tokens before the first patch, and the maps sum to 1") {
  // Width 2, one image: the class query is (1, 2), the patch keys are (1, 0) and (0, 1); a register's key
  // stands between.
  const at::Tensor qkv = at::tensor({1.F, 2.F, 9.F, 9.F, 0.F, 0.F, 0.F, 0.F, 8.F, 8.F, 0.F, 0.F,
                                     0.F, 0.F, 1.F, 0.F, 0.F, 0.F, 0.F, 0.F, 0.F, 1.F, 0.F, 0.F})
                             .view({1, 4, 6});
  const at::Tensor logits = class_attention_logits(qkv, 2, 0.5, 2);
  REQUIRE(logits.sizes() == at::IntArrayRef({1, 2, 2}));
  CHECK(at::equal(logits[0], at::tensor({0.5F, 0.0F, 0.0F, 1.0F}).view({2, 2})));
  const at::Tensor from_logits = attention_map(logits, MapReduce::logits);  // softmax of (0.25, 0.5)
  CHECK(from_logits[0][0].item<float>() == doctest::Approx(0.4378235));
  const at::Tensor from_probs =
      attention_map(logits, MapReduce::probs);  // mean of softmax(0.5, 0) and softmax(0, 1)
  CHECK(from_probs[0][0].item<float>() == doctest::Approx(0.4457003));
  CHECK(from_probs.sum().item<float>() == doctest::Approx(1.0));
}

TEST_CASE("the class token's own attention covers all tokens") {
  const at::Tensor qkv = random_tensor({2, 6, 3 * 8}, 3);
  const at::Tensor all = attention_probabilities(qkv, 4);
  CHECK(at::allclose(class_attention_probabilities(qkv, 4), all.select(2, 0), 1e-5, 1e-6));
}

TEST_CASE("head counts that do not divide the width are refused") {
  CHECK_THROWS_AS(multi_head_attention(at::zeros({1, 2, 9}), 2), Error);
  CHECK_THROWS_AS(split_heads(at::zeros({2, 9}), 1), Error);
}

}  // namespace
}  // namespace patchioner
