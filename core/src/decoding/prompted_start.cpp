#include "decoding/prompted_start.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

// GPT-2's smallest published model.
constexpr int64_t kWidth = 768;
constexpr int64_t kLayers = 12;
constexpr int64_t kPositions = 1024;

int64_t given_or(int64_t given, int64_t usual) {
  return given > 0 ? given : usual;
}

/// Width inside the feed-forward parts of a mapping network, over its own (spec/04 section 3.1).
constexpr int64_t kHiddenRatio = 2;

SoftPromptConfig soft_prompt_config(const FreshSection& sizes, int64_t width, int64_t heads) {
  const int64_t outputs = sizes.prompt_length * width;
  if (sizes.network == "mlp") {
    return PromptMlpConfig{sizes.dim, outputs / 2, outputs, width};
  }
  MappingNetworkConfig config;
  config.dim = sizes.dim;
  config.width = width;
  config.projected_length = sizes.projected_length;
  config.prompt_length = sizes.prompt_length;
  config.hidden = kHiddenRatio * width;
  config.layers = sizes.mapping_layers;
  config.heads = heads;
  return config;
}

}  // namespace

PromptedWeights start_prompted_weights(PromptedKind kind, const FreshSection& sizes,
                                       const std::string& language_model, int64_t mapping_heads,
                                       int64_t language_model_heads, int64_t ids) {
  if (kind == PromptedKind::viecap && sizes.network == "mlp") {
    throw Error(ErrorKind::config,
                "fresh.network is mlp, but ViECap's soft prompt comes from a transformer; "
                "the decoder clipcap has the other");
  }
  if (!language_model.empty() && (sizes.width > 0 || sizes.layers > 0 || sizes.positions > 0)) {
    throw Error(ErrorKind::config,
                "fresh.width, fresh.layers and fresh.positions are told by {}; leave them out, or leave "
                "`language_model` out for a language model without weights",
                language_model);
  }
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  PromptedWeights weights;
  weights.kind = kind;
  if (language_model.empty()) {
    Gpt2Config config;
    config.vocab_size = ids;
    config.n_embd = given_or(sizes.width, kWidth);
    config.n_layer = given_or(sizes.layers, kLayers);
    config.n_positions = given_or(sizes.positions, kPositions);
    config.n_head = language_model_heads;
    weights.language_model = initialise_gpt2(config, generator);
  } else {
    weights.language_model = load_language_model(language_model, language_model_heads);
  }
  weights.soft_prompt = initialise_soft_prompt(
      soft_prompt_config(sizes, weights.language_model.config.n_embd, mapping_heads), generator);
  return weights;
}

}  // namespace patchioner
