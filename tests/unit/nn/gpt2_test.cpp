#include "nn/gpt2.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>

#include "nn/gpt2_training.hpp"
#include "nn/search.hpp"

namespace patchioner {
namespace {

Gpt2Weights random_gpt2() {
  Gpt2Config config;
  config.vocab_size = 50;
  config.n_positions = 24;
  config.n_embd = 16;
  config.n_layer = 3;
  config.n_head = 4;
  config.initializer_range = 0.5;  // large, so that logits differ clearly
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  return initialise_gpt2(config, generator);
}

at::Tensor random_embeddings(at::IntArrayRef shape) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(11);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

double largest_difference(const at::Tensor& left, const at::Tensor& right) {
  REQUIRE(left.sizes() == right.sizes());
  return (left - right).abs().max().item<double>();
}

TEST_CASE("GPT-2 with a cache gives the hidden states of the pass without one") {
  const Gpt2Weights weights = random_gpt2();
  const Gpt2 model(weights, at::kFloat);
  const at::Tensor embeddings = random_embeddings({3, 9, 16});
  const at::Tensor expected = gpt2_forward(weights, embeddings, /*dropout=*/false);

  Gpt2Cache cache(model, 3, 9);
  const at::Tensor prompt = model.run(embeddings.narrow(1, 0, 4), cache);
  const at::Tensor middle = model.run(embeddings.narrow(1, 4, 3), cache);
  std::vector<at::Tensor> parts{prompt, middle};
  for (int64_t position = 7; position < 9; ++position) {
    parts.push_back(model.run(embeddings.narrow(1, position, 1), cache));
  }
  CHECK(cache.length() == 9);
  CHECK(largest_difference(at::cat(parts, 1), expected) < 1e-4);
  CHECK(largest_difference(model.logits(expected), gpt2_logits(weights, expected)) < 1e-4);
}

TEST_CASE("a padded row gives what it gives alone") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  const at::Tensor embeddings = random_embeddings({2, 6, 16});
  Gpt2Cache both(model, 2, 8);
  both.set_left_padding(at::tensor({0, 2}, at::kLong));
  const at::Tensor next = random_embeddings({2, 1, 16});
  const at::Tensor first = model.run(embeddings, both);
  const at::Tensor second = model.run(next, both);

  Gpt2Cache alone(model, 1, 8);
  const at::Tensor first_alone = model.run(embeddings.slice(0, 1, 2).slice(1, 2), alone);
  const at::Tensor second_alone = model.run(next.slice(0, 1, 2), alone);
  CHECK(largest_difference(first.slice(0, 1, 2).slice(1, 2), first_alone) < 1e-4);
  CHECK(largest_difference(second.slice(0, 1, 2), second_alone) < 1e-4);
}

TEST_CASE("selected rows of a cache go on as if they had been run alone") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  const at::Tensor embeddings = random_embeddings({3, 5, 16});
  Gpt2Cache cache(model, 3, 8);
  model.run(embeddings, cache);
  cache.select(at::tensor({2, 0, 2}, at::kLong));
  const at::Tensor next = random_embeddings({3, 1, 16});
  const at::Tensor ours = model.run(next, cache);

  Gpt2Cache other(model, 3, 8);
  model.run(embeddings.index_select(0, at::tensor({2, 0, 2}, at::kLong)), other);
  CHECK(largest_difference(ours, model.run(next, other)) == 0.0);
}

TEST_CASE("a cache that is full or larger than the model's positions is refused") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  Gpt2Cache cache(model, 1, 2);
  CHECK_THROWS_WITH_AS(model.run(random_embeddings({1, 3, 16}), cache),
                       "a text of 3 positions does not fit a cache of 2", Error);
  CHECK_THROWS_AS(Gpt2Cache(model, 1, 25), Error);
}

TEST_CASE("sizes that no GPT-2 can have are refused by name") {
  Gpt2Config config;
  config.n_head = 5;
  CHECK_THROWS_WITH_AS(
      config.check("decoder"),
      "decoder: n_head 5 does not divide n_embd 768; give n_head as the model was trained with", Error);
  config.n_head = 4;
  config.n_layer = 0;
  CHECK_THROWS_AS(config.check("decoder"), Error);
}

TEST_CASE("greedy search takes the largest logit of the whole text so far at every step") {
  const Gpt2Weights weights = random_gpt2();
  const Gpt2 model(weights, at::kFloat);
  const at::Tensor prefix = random_embeddings({5, 1, 16});
  GreedySearchOptions options;
  options.steps = 12;
  options.rows_at_once = 2;  // 5 rows in three groups
  const GreedySearchResult found = greedy_search(model, prefix, options);

  at::Tensor text = prefix;
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor logits = gpt2_logits(weights, gpt2_forward(weights, text, false)).select(1, -1);
    const at::Tensor chosen = logits.argmax(1);
    CHECK(at::equal(found.ids.select(1, step), chosen));
    const at::Tensor probability = at::log_softmax(logits, 1).gather(1, chosen.unsqueeze(1)).squeeze(1);
    CHECK(largest_difference(found.log_probabilities.select(1, step), probability) < 1e-4);
    text = at::cat({text, model.embed(chosen).unsqueeze(1)}, 1);
  }
}

TEST_CASE("rows end behind their end id without touching the others") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  const at::Tensor prefix = random_embeddings({6, 1, 16});
  GreedySearchOptions options;
  options.steps = 12;
  const at::Tensor full = greedy_search(model, prefix, options).ids;
  options.end_ids = {full[0][3].item<int64_t>()};
  const GreedySearchResult stopped = greedy_search(model, prefix, options);
  for (int64_t row = 0; row < 6; ++row) {
    bool ended = false;
    for (int64_t step = 0; step < options.steps; ++step) {
      const int64_t expected = ended ? -1 : full[row][step].item<int64_t>();
      CHECK(stopped.ids[row][step].item<int64_t>() == expected);
      ended = ended || expected == options.end_ids.front();
    }
  }
}

TEST_CASE("only allowed ids are chosen, with their probability among all ids") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  const at::Tensor prefix = random_embeddings({8, 1, 16});
  GreedySearchOptions options;
  options.steps = 1;
  const GreedySearchResult free = greedy_search(model, prefix, options);
  options.allowed_ids = 10;
  const GreedySearchResult restricted = greedy_search(model, prefix, options);
  CHECK(free.ids.max().item<int64_t>() >= 10);
  CHECK(restricted.ids.max().item<int64_t>() < 10);
  CHECK((restricted.log_probabilities <= free.log_probabilities).all().item<bool>());
}

TEST_CASE("a NaN row chooses id 0 at every step and leaves the others alone") {
  const Gpt2 model(random_gpt2(), at::kFloat);
  at::Tensor prefix = random_embeddings({2, 1, 16});
  GreedySearchOptions options;
  options.steps = 4;
  const at::Tensor alone = greedy_search(model, prefix.narrow(0, 1, 1), options).ids;
  prefix[0].fill_(std::numeric_limits<float>::quiet_NaN());
  const GreedySearchResult found = greedy_search(model, prefix, options);
  CHECK(at::equal(found.ids[0], at::zeros({4}, at::kLong)));
  CHECK(found.log_probabilities[0].isnan().all().item<bool>());
  CHECK(at::equal(found.ids[1], alone[0]));
}

TEST_CASE("bfloat16 stays close to float32") {
  const Gpt2Weights weights = random_gpt2();
  const at::Tensor embeddings = random_embeddings({2, 6, 16});
  const Gpt2 exact(weights, at::kFloat);
  const Gpt2 fast(weights, at::kBFloat16);
  Gpt2Cache exact_cache(exact, 2, 6);
  Gpt2Cache fast_cache(fast, 2, 6);
  const at::Tensor expected = exact.run(embeddings, exact_cache);
  const at::Tensor found = fast.run(embeddings, fast_cache);
  CHECK((found.scalar_type() == at::kFloat));
  CHECK(largest_difference(found, expected) < 0.3);  // values up to about 4, 8 bits of mantissa, 3 blocks
}

TEST_CASE("the token loss does not count padding and spreads the smoothing over all ids") {
  // Two ids, identity embedding: the logits are the hidden states. -log p(1) of (0, ln 3) is ln(4/3), of id 0
  // ln 4.
  Gpt2Weights weights;
  weights.token_embedding = at::eye(2);
  const float ln3 = std::log(3.0F);
  const at::Tensor hidden = at::tensor({0.0F, ln3, 5.0F, -5.0F}).view({1, 2, 2});
  const at::Tensor labels = at::tensor({1, 0}, at::kLong).view({1, 2});
  const double right = std::log(4.0 / 3.0);
  const double mean = 0.5 * (std::log(4.0) + right);
  const TokenLoss loss = token_loss(weights, hidden, labels, 0.1);
  CHECK(loss.value.item<double>() == doctest::Approx(0.9 * right + 0.1 * mean).epsilon(1e-6));
  CHECK(loss.accuracy.item<double>() == 1.0);
}

TEST_CASE("dropout draws from the default generator, so that a seed repeats it") {
  const Gpt2Weights weights = random_gpt2();
  const at::Tensor embeddings = random_embeddings({2, 6, 16});
  at::manual_seed(3);
  const at::Tensor first = gpt2_forward(weights, embeddings, true);
  const at::Tensor second = gpt2_forward(weights, embeddings, true);
  at::manual_seed(3);
  CHECK(at::equal(gpt2_forward(weights, embeddings, true), first));
  CHECK_FALSE(at::equal(second, first));
}

}  // namespace
}  // namespace patchioner
