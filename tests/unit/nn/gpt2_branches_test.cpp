#include "nn/gpt2_branches.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "nn/gpt2_training.hpp"
#include "nn/prompt.hpp"
#include "small_gpt2.hpp"

namespace patchioner {
namespace {

constexpr int64_t kPositions = 40;

Gpt2Branches branches_behind(const Gpt2& model, const PromptBatch& prompts) {
  Gpt2Cache cache(model, prompts.rows(), prompts.length());
  if (prompts.padding.defined()) {
    cache.set_left_padding(prompts.padding);
  }
  model.run(prompts.embeddings, cache);
  return Gpt2Branches(std::move(cache));
}

TEST_CASE("branches that fork and end, of unequal rows, go on as each text alone does") {
  const Gpt2Weights weights = small_gpt2(kPositions, 0.5);
  const Gpt2 model(weights, at::kFloat);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(11);
  std::vector<at::Tensor> texts;  // [T,E] of each branch
  for (const int64_t length : {3, 1, 4}) {
    texts.push_back(at::randn({length, 16}, generator, at::TensorOptions(at::kFloat)));
  }
  Gpt2Branches branches = branches_behind(model, left_padded(texts));
  // Steps of forks, ends, swapped branches, and a row that ends altogether, long enough for places to be
  // cleared away several times.
  std::vector<std::vector<int64_t>> plan = {{0, 0, 1, 1, 1, 2}, {0, 1, 3, 2, 2, 5, 5, 5},
                                            {0, 2, 3, 6, 5, 6}, {0, 0, 0, 3, 5, 4},
                                            {2, 2, 4, 5},       {1, 3, 2}};
  for (int64_t step = 0; step < 24; ++step) {
    plan.push_back(step % 3 == 0 ? std::vector<int64_t>{0, 0, 1, 2} : std::vector<int64_t>{1, 2, 3});
    if (step % 3 == 1) {
      plan.back() = {0, 1, 2, 2};
    }
  }
  for (const std::vector<int64_t>& parents : plan) {
    branches.follow(parents);
    const auto count = static_cast<int64_t>(parents.size());
    REQUIRE(branches.size() == count);
    const at::Tensor next = at::randn({count, 16}, generator, at::TensorOptions(at::kFloat));
    std::vector<at::Tensor> longer;
    for (int64_t i = 0; i < count; ++i) {
      longer.push_back(
          at::cat({texts[static_cast<size_t>(parents[static_cast<size_t>(i)])], next.narrow(0, i, 1)}));
    }
    texts = std::move(longer);
    const at::Tensor hidden = model.run(next, branches);
    for (int64_t i = 0; i < count; ++i) {
      const at::Tensor alone =
          gpt2_forward(weights, texts[static_cast<size_t>(i)].unsqueeze(0), /*training=*/false)[0][-1];
      CHECK((hidden[i] - alone).abs().max().item<double>() < 1e-4);
    }
  }
  CHECK(branches.length() == 4 + static_cast<int64_t>(plan.size()));
}

TEST_CASE("branches longer than the model's positions are refused") {
  const Gpt2 model(small_gpt2(kPositions, 0.5), at::kFloat);
  Gpt2Branches branches = branches_behind(model, {at::ones({1, kPositions - 1, 16}), {}});
  model.run(at::ones({1, 16}), branches);
  CHECK_THROWS_WITH_AS(model.run(at::ones({1, 16}), branches),
                       "a text of 41 positions was asked of a GPT-2 that has 40; lower the number of steps",
                       Error);
}

}  // namespace
}  // namespace patchioner
