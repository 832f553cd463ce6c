#include "bench_text_search.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "bench.hpp"
#include "entities/entity_retrieval.hpp"
#include "nn/beam_search.hpp"
#include "nn/gpt2_training.hpp"
#include "nn/search.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

constexpr int64_t kWidth = 5;

/// What ViECap's GPT-2 reads before it speaks: ten places of a soft prompt, and about eight of a hard one.
constexpr int64_t kPromptLength = 18;

/// The best text of one region without a cache, as the reference does it: the whole texts of all beams
/// through the model at every step, then the best of all their continuations.
std::vector<int64_t> beam_search_without_cache(const Gpt2Weights& weights, const at::Tensor& prompt,
                                               int64_t steps, bool all_positions) {
  const int64_t vocabulary = weights.config.vocab_size;
  at::Tensor texts = prompt;  // [k,T,E], one text at first
  at::Tensor sums;            // [k,1]
  at::Tensor ids;             // [k,t]
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor hidden = gpt2_forward(weights, texts, /*training=*/false);                    // [k,T,E]
    const at::Tensor logits = gpt2_logits(weights, all_positions ? hidden : hidden.slice(1, -1));  // [k,T,V]
    at::Tensor totals = at::log_softmax(logits.select(1, -1), -1);                                 // [k,V]
    if (sums.defined()) {
      totals = totals + sums;
    }
    const auto [best, places] = totals.flatten().topk(kWidth);
    const at::Tensor parents = places.floor_divide(vocabulary);  // [k]
    const at::Tensor next = places.remainder(vocabulary);        // [k]
    sums = best.unsqueeze(1);
    ids = ids.defined() ? at::cat({ids.index_select(0, parents), next.unsqueeze(1)}, 1) : next.unsqueeze(1);
    texts = at::cat(
        {texts.index_select(0, parents), at::embedding(weights.token_embedding, next).unsqueeze(1)}, 1);
  }
  const at::Tensor first = ids[0].contiguous();
  return {first.const_data_ptr<int64_t>(), first.const_data_ptr<int64_t>() + steps};
}

/// The looking-up of entities, timed after a first call that warms up.
double seconds_of_retrieval(const TextSearchBench& bench, int64_t width) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const auto options = at::TensorOptions(at::kFloat);
  const EntityRetriever retriever(std::vector<std::string>(static_cast<size_t>(bench.entities), "entity"),
                                  at::randn({bench.entities, width}, generator, options), "random entities");
  const at::Tensor features = at::randn({bench.regions, width}, generator, options);
  const auto look_up = [&] { (void)retriever.retrieve(features, EntityRetrievalOptions()); };
  return measure_in_turn({look_up}, 5).front().median();
}

void print_share(const std::string& name, double seconds, double retrieval) {
  fmt::print("  {:32}  {:8.2f} s; looking entities up is {:.2f} % of it\n", name, seconds,
             100 * retrieval / seconds);
}

}  // namespace

void bench_text_search(const TextSearchBench& bench) {
  const c10::InferenceMode no_gradients;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  Gpt2Config config;
  config.n_layer = bench.layers;
  config.n_head = 12;
  const Gpt2Weights weights = initialise_gpt2(config, generator);
  const Gpt2 model(weights, bench.precision);
  const PromptBatch prompts{
      at::randn({bench.regions, kPromptLength, config.n_embd}, generator, at::TensorOptions(at::kFloat)), {}};
  BeamSearchOptions beam;
  beam.width = kWidth;
  beam.steps = bench.steps;
  GreedySearchOptions greedy;
  greedy.steps = bench.steps;
  fmt::print(
      "beam search of width {}, {} regions x {} steps behind {} places, {} layers, width {}, {} ids, {}\n",
      kWidth, bench.regions, bench.steps, kPromptLength, config.n_layer, config.n_embd, config.vocab_size,
      bench.precision == at::kBFloat16 ? "bf16" : "fp32");
  std::vector<std::vector<FoundText>> found = beam_search(model, prompts.part(0, 1), beam);  // warms up
  // Measured before, between and behind the loops, so that what else the machine does hits all alike.
  std::vector<Took> batched{time_of([&] { found = beam_search(model, prompts, beam); })};
  std::vector<Took> loops;
  std::vector<int64_t> equal;
  const int64_t measured = std::min(bench.loop_regions, bench.regions);
  for (const bool all_positions : {true, false}) {
    Progress progress("beam search without cache", "regions", static_cast<uint64_t>(measured));
    equal.push_back(0);
    loops.push_back(time_of([&] {
      for (int64_t region = 0; region < measured; ++region) {
        const std::vector<int64_t> ids = beam_search_without_cache(
            weights, prompts.embeddings.narrow(0, region, 1), bench.steps, all_positions);
        equal.back() += ids == found[static_cast<size_t>(region)].front().ids ? 1 : 0;
        progress.advance();
      }
    }));
    progress.finish();
    batched.push_back(time_of([&] { found = beam_search(model, prompts, beam); }));
  }
  const double greedy_seconds = seconds_of([&] { (void)greedy_search(model, prompts, greedy); });
  const auto median = [&](double Took::*part) {
    std::vector<double> values;
    for (const Took& took : batched) {
      values.push_back(took.*part);
    }
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  const double ours = median(&Took::seconds);
  fmt::print("  batched, with cache               {:8.2f} s   {:8.1f} regions/s\n", ours,
             static_cast<double>(bench.regions) / ours);
  const double scale = static_cast<double>(bench.regions) / static_cast<double>(measured);
  for (const size_t i : {size_t{0}, size_t{1}}) {
    fmt::print(
        "  loop over regions, no cache, {}  {:8.2f} s   {:5.1f} x, {:.1f} x in processor time{}; {} of {} "
        "texts equal\n",
        i == 0 ? "all logits" : "last logit", scale * loops[i].seconds, scale * loops[i].seconds / ours,
        scale * loops[i].processor / median(&Took::processor),
        measured < bench.regions ? fmt::format(" (scaled from {} of them)", measured) : "", equal[i],
        measured);
  }
  if (bench.entities > 0) {
    const double retrieval = seconds_of_retrieval(bench, config.n_embd);
    fmt::print("entities, {} regions among {} x {}\n", bench.regions, bench.entities, config.n_embd);
    fmt::print("  looking up                        {:8.4f} s\n", retrieval);
    print_share("greedy search of these regions", greedy_seconds, retrieval);
    print_share("beam search of these regions", ours, retrieval);
  }
}

}  // namespace patchioner
