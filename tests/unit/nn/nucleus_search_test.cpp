#include "nn/nucleus_search.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <set>

#include "nn/gpt2_training.hpp"
#include "nn/search.hpp"
#include "refusals.hpp"
#include "small_gpt2.hpp"

namespace patchioner {
namespace {

NucleusSearchOptions some_options() {
  NucleusSearchOptions options;
  options.steps = 9;
  options.end_ids = {4, 11, 17};
  options.samples = 5;
  return options;
}

using Texts = std::vector<std::vector<int64_t>>;

Texts ids_of(const std::vector<FoundText>& found) {
  Texts ids;
  for (const FoundText& text : found) {
    ids.push_back(text.ids);
  }
  return ids;
}

/// The log-probabilities of what comes behind a prompt and some ids, computed anew.
at::Tensor log_probabilities_behind(const Gpt2Weights& weights, const at::Tensor& prompt,
                                    const std::vector<int64_t>& ids, double temperature) {
  at::Tensor whole = prompt;
  if (!ids.empty()) {
    whole = at::cat({prompt, at::embedding(weights.token_embedding, at::tensor(ids, at::kLong))}, 0);
  }
  const at::Tensor logits =
      gpt2_logits(weights, gpt2_forward(weights, whole.unsqueeze(0), false)).select(1, -1)[0];
  return at::log_softmax(logits / temperature, 0);
}

/// One text by full sorting, the whole of it computed anew at every step.
FoundText naive_sample(const Gpt2Weights& weights, const at::Tensor& prompt,
                       const NucleusSearchOptions& options, int64_t number) {
  FoundText text;
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor all = log_probabilities_behind(weights, prompt, text.ids, options.temperature);
    const auto [sorted, order] = all.sort(/*stable=*/true, 0, /*descending=*/true);
    int64_t count = 0;
    double mass = 0;
    do {
      mass += std::exp(sorted[count++].item<double>());
    } while (mass < options.top_p && count < sorted.size(0));
    double left = nucleus_draw(options.seed, number, step) * mass;
    int64_t place = 0;
    while (place + 1 < count && left >= std::exp(sorted[place].item<double>())) {
      left -= std::exp(sorted[place++].item<double>());
    }
    text.ids.push_back(order[place].item<int64_t>());
    text.log_probabilities.push_back(sorted[place].item<float>());
    text.score += sorted[place].item<double>();
    if (std::count(options.end_ids.begin(), options.end_ids.end(), text.ids.back()) > 0) {
      break;
    }
  }
  text.score /= static_cast<double>(text.ids.size());
  return text;
}

TEST_CASE("samples of many unequal rows are what sorting and drawing row by row gives, the likelier first") {
  const Gpt2Weights weights = small_gpt2(40, 0.3);
  const Gpt2 model(weights, at::kFloat);
  const std::vector<at::Tensor> prompts = unequal_prompts();
  size_t ended = 0, running = 0;
  for (const double top_p : {0.3, 0.8, 1.0}) {
    for (const double temperature : {0.7, 1.0}) {
      NucleusSearchOptions options = some_options();
      options.top_p = top_p;
      options.temperature = temperature;
      options.seed = 5;
      options.texts_at_once = 2 * options.samples;  // four rows in two groups
      const auto found = nucleus_search(model, left_padded(prompts), options);
      REQUIRE(found.size() == prompts.size());
      for (size_t row = 0; row < prompts.size(); ++row) {
        std::vector<FoundText> expected;
        for (int64_t number = 0; number < options.samples; ++number) {
          expected.push_back(naive_sample(weights, prompts[row], options, number));
        }
        std::stable_sort(expected.begin(), expected.end(), [](const FoundText& left, const FoundText& right) {
          return left.score > right.score;
        });
        REQUIRE(found[row].size() == expected.size());
        for (size_t place = 0; place < expected.size(); ++place) {
          const FoundText& text = found[row][place];
          CHECK(text.ids == expected[place].ids);
          CHECK(text.score == doctest::Approx(expected[place].score).epsilon(1e-4));
          REQUIRE(text.log_probabilities.size() == text.ids.size());
          CHECK(text.log_probabilities.back() ==
                doctest::Approx(expected[place].log_probabilities.back()).epsilon(1e-3));
          (text.ids.size() < 9 ? ended : running) += 1;
        }
      }
    }
  }
  CHECK(ended > 0);
  CHECK(running > 0);
}

TEST_CASE("a nucleus of next to nothing is greedy search") {
  const Gpt2 model(small_gpt2(40, 0.3), at::kFloat);
  const PromptBatch prompts = left_padded(unequal_prompts());
  NucleusSearchOptions options = some_options();
  options.top_p = 1e-6;
  options.samples = 2;
  GreedySearchOptions greedy;
  greedy.steps = options.steps;
  greedy.end_ids = options.end_ids;
  const auto found = nucleus_search(model, prompts, options);
  const GreedySearchResult expected = greedy_search(model, prompts, greedy);
  for (size_t row = 0; row < found.size(); ++row) {
    for (const FoundText& text : found[row]) {
      for (int64_t step = 0; step < options.steps; ++step) {
        const auto place = static_cast<size_t>(step);
        const bool written = place < text.ids.size();
        CHECK(expected.ids[static_cast<int64_t>(row)][step].item<int64_t>() ==
              (written ? text.ids[place] : -1));
        CHECK(expected.log_probabilities[static_cast<int64_t>(row)][step].item<float>() ==
              doctest::Approx(written ? text.log_probabilities[place] : 0).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("a seed gives the same texts again, another seed others") {
  const Gpt2 model(small_gpt2(40, 0.3), at::kFloat);
  const PromptBatch prompts = left_padded(unequal_prompts());
  NucleusSearchOptions options = some_options();
  const auto first = nucleus_search(model, prompts, options);
  const auto again = nucleus_search(model, prompts, options);
  options.seed = 1;
  const auto other = nucleus_search(model, prompts, options);
  for (size_t row = 0; row < first.size(); ++row) {
    CHECK(ids_of(first[row]) == ids_of(again[row]));
    CHECK(ids_of(first[row]) != ids_of(other[row]));
  }
}

TEST_CASE("samples do not depend on the rows beside them, nor on how many are drawn") {
  const Gpt2 model(small_gpt2(40, 0.3), at::kFloat);
  const std::vector<at::Tensor> prompts = unequal_prompts();
  NucleusSearchOptions options = some_options();
  options.samples = 20;  // more than are written side by side
  std::vector<at::Tensor> twice = prompts;
  twice.push_back(prompts[2]);
  const auto together = nucleus_search(model, left_padded(twice), options);
  CHECK(ids_of(together[2]) == ids_of(together[4]));  // equal rows, equal texts
  for (size_t row = 0; row < prompts.size(); ++row) {
    CHECK(ids_of(nucleus_search(model, left_padded({prompts[row]}), options)[0]) == ids_of(together[row]));
  }
  options.samples = 1;
  const auto one = nucleus_search(model, left_padded(prompts), options);
  for (size_t row = 0; row < prompts.size(); ++row) {
    const Texts all = ids_of(together[row]);
    CHECK(std::set<std::vector<int64_t>>(all.begin(), all.end()).size() > 1);
    CHECK(std::count(all.begin(), all.end(), one[row][0].ids) > 0);
  }
}

TEST_CASE("of equally probable ids the lower ones are in the nucleus, and all of them are drawn alike") {
  Gpt2Weights weights = small_gpt2(40, 0.3);
  weights.token_embedding.zero_();  // every logit is 0
  const Gpt2 model(weights, at::kFloat);
  NucleusSearchOptions options;
  options.top_p = 0.099;  // the third of 30 ids reaches it
  options.steps = 1;
  options.samples = 600;
  std::array<int64_t, 30> drawn{};
  const std::vector<FoundText> found = nucleus_search(model, left_padded({at::ones({2, 16})}), options)[0];
  REQUIRE(found.size() == 600);
  for (const FoundText& text : found) {
    ++drawn.at(static_cast<size_t>(text.ids.at(0)));
    CHECK(text.score == doctest::Approx(-std::log(30.0)));
  }
  for (size_t id = 0; id < drawn.size(); ++id) {
    // 200 each on average, with a standard deviation of 12.
    CHECK((id < 3 ? drawn[id] > 150 && drawn[id] < 250 : drawn[id] == 0));
  }
}

TEST_CASE("logits that are not numbers give id 0 without a probability") {
  Gpt2Weights weights = small_gpt2(40, 0.3);
  weights.ln_f_bias.fill_(std::numeric_limits<float>::quiet_NaN());
  NucleusSearchOptions options;
  options.steps = 2;
  const auto found = nucleus_search(Gpt2(weights, at::kFloat), left_padded({at::ones({2, 16})}), options);
  CHECK(found[0][0].ids == std::vector<int64_t>{0, 0});
  CHECK(std::isinf(found[0][0].score));
}

TEST_CASE("numbers to draw with are spread over [0,1) and differ by seed, sample and step") {
  std::set<double> all;
  double sum = 0;
  for (int64_t seed = 0; seed < 10; ++seed) {
    for (int64_t sample = 0; sample < 10; ++sample) {
      for (int64_t step = 0; step < 10; ++step) {
        const double number = nucleus_draw(seed, sample, step);
        CHECK(number >= 0);
        CHECK(number < 1);
        all.insert(number);
        sum += number;
      }
    }
  }
  CHECK(all.size() == 1000);
  CHECK(sum / 1000 == doctest::Approx(0.5).epsilon(0.06));
}

TEST_CASE("options of nucleus sampling that are out of range are refused") {
  const Gpt2 model(small_gpt2(40, 0.3), at::kFloat);
  const auto refusal = [&](double top_p, double temperature, int64_t samples, int64_t steps) {
    NucleusSearchOptions options;
    options.top_p = top_p;
    options.temperature = temperature;
    options.samples = samples;
    options.steps = steps;
    return refusal_of(ErrorKind::config, [&] {
      (void)nucleus_search(model, left_padded({at::ones({2, 16})}), options);
    });
  };
  mentions(refusal(0, 1, 1, 5), "top_p");
  mentions(refusal(1.5, 1, 1, 5), "1.5");
  mentions(refusal(0.8, 0, 1, 5), "temperature");
  mentions(refusal(0.8, 1, 0, 5), "0 samples");
  mentions(refusal(0.8, 1, 1, 60), "61 positions");
}

}  // namespace
}  // namespace patchioner
