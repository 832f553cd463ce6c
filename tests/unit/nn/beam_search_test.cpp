#include "nn/beam_search.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include "nn/gpt2_training.hpp"
#include "nn/search.hpp"
#include "refusals.hpp"
#include "small_gpt2.hpp"

namespace patchioner {
namespace {

struct NaiveText {
  std::vector<int64_t> ids;
  double sum = 0;
  bool ended = false;
  double score() const { return sum / static_cast<double>(ids.size()); }
};

/// One row, the whole text computed anew at every step, all continuations of all texts ranked.
std::vector<NaiveText> naive_search(const Gpt2Weights& weights, const at::Tensor& prompt,
                                    const BeamSearchOptions& options) {
  std::vector<NaiveText> texts(1);
  for (int64_t step = 0; step < options.steps; ++step) {
    std::vector<NaiveText> candidates;
    bool all_ended = true;
    for (const NaiveText& text : texts) {
      if (text.ended) {
        candidates.push_back(text);
        continue;
      }
      all_ended = false;
      at::Tensor whole = prompt;
      if (!text.ids.empty()) {
        whole = at::cat({prompt, at::embedding(weights.token_embedding, at::tensor(text.ids, at::kLong))}, 0);
      }
      const at::Tensor logits =
          gpt2_logits(weights, gpt2_forward(weights, whole.unsqueeze(0), false)).select(1, -1)[0];
      const at::Tensor log_probabilities = at::log_softmax(logits / options.temperature, 0);
      for (int64_t id = 0; id < log_probabilities.size(0); ++id) {
        NaiveText longer = text;
        longer.ids.push_back(id);
        longer.sum += log_probabilities[id].item<double>();
        longer.ended = std::count(options.end_ids.begin(), options.end_ids.end(), id) > 0;
        candidates.push_back(longer);
      }
    }
    if (all_ended) {
      break;
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const NaiveText& left, const NaiveText& right) {
      return left.score() > right.score();
    });
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(options.width)));
    texts = candidates;
  }
  return texts;
}

TEST_CASE("beam search of many unequal rows finds what a loop over rows without a cache finds") {
  const Gpt2Weights weights = small_gpt2(24, 0.5);
  const Gpt2 model(weights, at::kFloat);
  const std::vector<at::Tensor> prompts = unequal_prompts();
  BeamSearchOptions options;
  options.steps = 7;
  options.end_ids = {4, 11, 17, 23};
  for (const int64_t width : {1, 3, 5}) {
    for (const double temperature : {1.0, 2.5}) {
      options.width = width;
      options.temperature = temperature;
      options.beams_at_once = 2 * width;  // four rows in two groups
      const auto found = beam_search(model, left_padded(prompts), options);
      REQUIRE(found.size() == prompts.size());
      size_t ended = 0;
      for (size_t row = 0; row < prompts.size(); ++row) {
        const std::vector<NaiveText> expected = naive_search(weights, prompts[row], options);
        REQUIRE(found[row].size() == expected.size());
        for (size_t place = 0; place < expected.size(); ++place) {
          CHECK(found[row][place].ids == expected[place].ids);
          CHECK(found[row][place].score == doctest::Approx(expected[place].score()).epsilon(1e-4));
          CHECK(found[row][place].log_probabilities.size() == expected[place].ids.size());
          ended += expected[place].ended ? 1 : 0;
        }
      }
      CHECK(ended > 0);  // otherwise nothing was learnt of texts that end
    }
  }
}

TEST_CASE("a beam of width 1 is greedy search, of unequal rows too") {
  const Gpt2 model(small_gpt2(24, 0.5), at::kFloat);
  const PromptBatch prompts = left_padded(unequal_prompts());
  BeamSearchOptions beam;
  beam.width = 1;
  beam.steps = 9;
  beam.end_ids = {4, 11, 17, 23};
  GreedySearchOptions greedy;
  greedy.steps = beam.steps;
  greedy.end_ids = beam.end_ids;
  const auto found = beam_search(model, prompts, beam);
  const GreedySearchResult expected = greedy_search(model, prompts, greedy);
  for (size_t row = 0; row < found.size(); ++row) {
    const std::vector<int64_t>& ids = found[row].front().ids;
    for (int64_t step = 0; step < beam.steps; ++step) {
      const auto place = static_cast<size_t>(step);
      CHECK(expected.ids[static_cast<int64_t>(row)][step].item<int64_t>() ==
            (place < ids.size() ? ids[place] : -1));
    }
  }
}

TEST_CASE("greedy search of unequal prompts gives each what it gives alone") {
  const Gpt2 model(small_gpt2(24, 0.5), at::kFloat);
  const std::vector<at::Tensor> prompts = unequal_prompts();
  GreedySearchOptions options;
  options.steps = 8;
  const at::Tensor together = greedy_search(model, left_padded(prompts), options).ids;
  for (size_t row = 0; row < prompts.size(); ++row) {
    const at::Tensor alone = greedy_search(model, prompts[row].unsqueeze(0), options).ids;
    CHECK(at::equal(together[static_cast<int64_t>(row)], alone[0]));
  }
}

TEST_CASE("of equally probable ids the lower ones are kept") {
  Gpt2Weights weights = small_gpt2(24, 0.5);
  weights.token_embedding.zero_();  // every logit is 0
  const Gpt2 model(weights, at::kFloat);
  BeamSearchOptions options;
  options.width = 3;
  options.steps = 1;
  const auto found = beam_search(model, left_padded({at::ones({2, 16})}), options);
  REQUIRE(found[0].size() == 3);
  for (int64_t place = 0; place < 3; ++place) {
    CHECK(found[0][static_cast<size_t>(place)].ids == std::vector<int64_t>{place});
  }
  CHECK(found[0][0].score == doctest::Approx(-std::log(30.0)));
}

TEST_CASE("a beam wider than the vocabulary holds what there is") {
  const Gpt2 model(small_gpt2(24, 0.5), at::kFloat);
  BeamSearchOptions options;
  options.width = 40;
  options.steps = 1;
  CHECK(beam_search(model, left_padded({at::ones({2, 16})}), options)[0].size() == 30);
}

TEST_CASE("prompts that leave no room are refused with both numbers") {
  const Gpt2 model(small_gpt2(24, 0.5), at::kFloat);
  BeamSearchOptions options;
  options.steps = 20;
  const std::string message = refusal_of(ErrorKind::config, [&] {
    beam_search(model, left_padded({at::ones({6, 16})}), options);
  });
  mentions(message, "25 positions");
  mentions(message, "has 24");
}

}  // namespace
}  // namespace patchioner
