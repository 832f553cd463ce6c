// patchioner bench decoders: how fast the plain decoder speaks and a beam search finds its texts, and how
// much memory projecting on a bank and looking captions up in it take.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

#include "bench.hpp"
#include "bench_text_search.hpp"
#include "memory/memory_bank.hpp"
#include "nn/gpt2_training.hpp"
#include "nn/search.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

struct DecoderBench {
  int64_t regions = 64;
  int64_t steps = 30;
  int64_t loop_regions = 0;
  int64_t memory_rows = 500'000;
  bool bf16 = false;
};

/// Greedy ids of one region without a cache: the whole text so far through the model at every step, as the
/// reference does it.
at::Tensor decode_without_cache(const Gpt2Weights& weights, const at::Tensor& prefix, int64_t steps,
                                bool all_positions) {
  at::Tensor text = prefix;  // [1,P,E]
  std::vector<at::Tensor> ids;
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor hidden = gpt2_forward(weights, text, /*dropout=*/false);                      // [1,T,E]
    const at::Tensor logits = gpt2_logits(weights, all_positions ? hidden : hidden.slice(1, -1));  // [1,T,V]
    ids.push_back(logits.select(1, -1).argmax(1));
    text = at::cat({text, at::embedding(weights.token_embedding, ids.back()).unsqueeze(1)}, 1);
  }
  return at::stack(ids, 1);  // [1,steps]
}

struct LoopResult {
  double seconds = 0;     ///< for all regions, from those that were decoded
  int64_t equal_ids = 0;  ///< of the decoded regions, those equal to `expected`
};

/// Decodes the first `measured` regions one after the other.
LoopResult decode_in_loop(const Gpt2Weights& weights, const at::Tensor& prefix, const DecoderBench& bench,
                          int64_t measured, bool all_positions, const at::Tensor& expected) {
  LoopResult result;
  Progress progress("loop without cache", "regions", static_cast<uint64_t>(measured));
  const double seconds = seconds_of([&] {
    for (int64_t region = 0; region < measured; ++region) {
      const at::Tensor ids =
          decode_without_cache(weights, prefix.narrow(0, region, 1), bench.steps, all_positions);
      result.equal_ids += (ids[0] == expected[region]).sum().item<int64_t>();
      progress.advance();
    }
  });
  progress.finish();
  result.seconds = seconds * static_cast<double>(bench.regions) / static_cast<double>(measured);
  return result;
}

void bench_decoding(const DecoderBench& bench) {
  const c10::InferenceMode no_gradients;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  const Gpt2Config config;  // the paper's decoder: 4 layers, 768 wide, 50257 ids
  const Gpt2Weights weights = initialise_gpt2(config, generator);
  const Gpt2 model(weights, bench.bf16 ? at::kBFloat16 : at::kFloat);
  const at::Tensor prefix =
      at::randn({bench.regions, 1, config.n_embd}, generator, at::TensorOptions(at::kFloat));
  GreedySearchOptions search;
  search.steps = bench.steps;
  GreedySearchResult found = greedy_search(model, prefix.narrow(0, 0, 1), search);  // warms up
  const double batched = seconds_of([&] { found = greedy_search(model, prefix, search); });
  fmt::print("decode, {} regions x {} steps, 4 layers, width 768, {} ids, {}\n", bench.regions, bench.steps,
             config.vocab_size, bench.bf16 ? "bf16" : "fp32");
  fmt::print("  batched, with cache               {:8.2f} s   {:8.1f} regions/s\n", batched,
             static_cast<double>(bench.regions) / batched);
  const int64_t measured =
      bench.loop_regions > 0 ? std::min(bench.loop_regions, bench.regions) : bench.regions;
  const std::string part = measured < bench.regions ? fmt::format(" (from {} of them)", measured) : "";
  for (const bool all_positions : {true, false}) {
    const LoopResult loop = decode_in_loop(weights, prefix, bench, measured, all_positions, found.ids);
    fmt::print("  loop over regions, no cache{}{}  {:8.2f} s   {:5.1f} x; {} of {} ids equal\n",
               all_positions ? ", all logits" : ", last logit", part, loop.seconds, loop.seconds / batched,
               loop.equal_ids, measured * bench.steps);
  }
}

/// Kilobytes of memory of this process that no file backs.
int64_t anonymous_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) {
      return std::stoll(line.substr(8));
    }
  }
  return 0;
}

/// Megabytes that this process holds more than before at the peak of some work, without what files back.
double peak_extra_megabytes(const std::function<void()>& work) {
  ::malloc_trim(0);  // what was freed before would be taken again unseen
  const int64_t before = anonymous_kilobytes();
  std::atomic<bool> done = false;
  std::atomic<int64_t> peak = before;
  std::thread watcher([&] {
    while (!done) {
      peak = std::max(peak.load(), anonymous_kilobytes());
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  work();
  done = true;
  watcher.join();
  return static_cast<double>(peak - before) * 1024 / 1e6;
}

void print_twice(const std::string& name, const std::function<void()>& work) {
  double first = 0, second = 0;
  const double megabytes = peak_extra_megabytes([&] {
    first = seconds_of(work);
    second = seconds_of(work);
  });
  fmt::print("  {:27} first call {:.2f} s, second {:.2f} s, peak extra memory {:.0f} MB\n", name, first,
             second, megabytes);
}

void bench_memory(const DecoderBench& bench) {
  constexpr int64_t kWidth = 768;
  constexpr int64_t kCaptions = 5;  // a region; as MeaCap looks up
  const c10::InferenceMode no_gradients;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(2);
  const at::Tensor features = at::randn({bench.regions, kWidth}, generator, at::TensorOptions(at::kFloat));
  const auto bank = MemoryBank::from_memory(
      at::randn({bench.memory_rows, kWidth}, generator, at::TensorOptions(at::kFloat)),
      std::vector<std::string>(static_cast<size_t>(bench.memory_rows), std::string()));
  fmt::print("memory bank, {} regions on {} x {}\n", bench.regions, bench.memory_rows, kWidth);
  print_twice("projection", [&] { (void)bank->project(features, ProjectionOptions()); });
  print_twice(fmt::format("the {} nearest captions", kCaptions),
              [&] { (void)bank->nearest(features, kCaptions, ProjectionOptions().temperature); });
}

}  // namespace

void add_bench_decoders(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand("decoders",
                                           "Plain decoder and beam search: batched with cache against a loop "
                                           "without; entities; a large memory bank");
  auto options = std::make_shared<DecoderBench>();
  auto search = std::make_shared<TextSearchBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  add_count(*command, "--regions", options->regions, "Regions decoded, projected and looked up together", 1,
            4096);
  add_count(*command, "--steps", options->steps, "Ids a region", 1, 1023);
  add_count(*command, "--loop-regions", options->loop_regions,
            "Regions of the slow loop that are measured, the time being scaled; 0: all of them", 0, 4096);
  add_count(*command, "--beam-layers", search->layers, "Layers of the GPT-2 of the beam search, of width 768",
            1, 100);
  add_count(*command, "--beam-steps", search->steps, "Ids a text of the beam search; 0: no beam search", 0,
            1000);
  add_count(*command, "--beam-loop-regions", search->loop_regions,
            "Regions of its slow loop that are measured, the time being scaled", 1, 4096);
  add_count(*command, "--entities", search->entities, "Names that regions are compared with; 0: none", 0,
            10'000'000);
  add_count(*command, "--memory-rows", options->memory_rows, "Rows of the bank; 0: no bank", 0, 10'000'000);
  command->add_flag("--bf16", options->bf16, "Decode in bfloat16");
  command->footer("Example:\n  patchioner bench decoders --loop-regions 8");
  command->callback([options, search, common] {
    begin_bench(*common);
    bench_decoding(*options);
    if (search->steps > 0) {
      search->regions = options->regions;
      search->precision = options->bf16 ? at::kBFloat16 : at::kFloat;
      bench_text_search(*search);
    }
    if (options->memory_rows > 0) {
      bench_memory(*options);
    }
  });
}

}  // namespace patchioner
