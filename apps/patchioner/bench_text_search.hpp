// The part of `bench decoders` that is about decoders with prompts: beam search, and looking entities up.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "nn/gpt2_weights.hpp"

namespace patchioner {

struct TextSearchBench {
  int64_t regions = 64;
  int64_t layers = 12;
  int64_t steps = 20;
  int64_t loop_regions = 1;  ///< of the loop without a cache; the time of all is scaled from it
  int64_t entities = 30'000;
  at::ScalarType precision = at::kFloat;
};

/// Measures and prints beam search of width 5 against a loop over regions that computes every text anew at
/// each step, and what looking up entities takes beside decoding.
void bench_text_search(const TextSearchBench& bench);

}  // namespace patchioner
