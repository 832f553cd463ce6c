// A tiny language model and prompts for tests of searches.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <vector>

#include "nn/gpt2_weights.hpp"

namespace patchioner {

/// 30 ids, width 16, two layers of four heads, the same numbers every time. The larger `range`, the less
/// alike are the probabilities of ids.
inline Gpt2Weights small_gpt2(int64_t positions, double range) {
  Gpt2Config config;
  config.vocab_size = 30;
  config.n_positions = positions;
  config.n_embd = 16;
  config.n_layer = 2;
  config.n_head = 4;
  config.initializer_range = range;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  return initialise_gpt2(config, generator);
}

/// Prompts of the lengths 3, 1, 4, 2.
inline std::vector<at::Tensor> unequal_prompts() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(11);
  std::vector<at::Tensor> prompts;
  for (const int64_t length : {3, 1, 4, 2}) {
    prompts.push_back(at::randn({length, 16}, generator, at::TensorOptions(at::kFloat)));
  }
  return prompts;
}

}  // namespace patchioner
