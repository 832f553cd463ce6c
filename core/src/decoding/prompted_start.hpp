// Where the training of a GPT-2 behind a soft prompt begins when there is no checkpoint to go on from.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "decoding/prompted_weights.hpp"

namespace patchioner {

/// The section `fresh`: sizes of what has no weights yet. Those of the language model are told by its file
/// when there is one; 0 then.
struct FreshSection {
  int64_t dim = 0;
  int64_t prompt_length = 10;
  int64_t projected_length = 10;
  int64_t mapping_layers = 8;
  std::string network = "transformer";
  int64_t width = 0;
  int64_t layers = 0;
  int64_t positions = 0;
};

inline void declare(ParameterList<FreshSection>& list) {
  using O = FreshSection;
  constexpr double kMostWidth = 65'536;
  list.add("dim", &O::dim, "width of the features that it reads: the backbone's")
      .range(1, kMostWidth)
      .required();
  list.add("prompt_length", &O::prompt_length, "positions of the soft prompt").range(1, 1000);
  list.add("projected_length", &O::projected_length,
           "positions that the mapping network spreads a feature over")
      .range(1, 1000);
  list.add("mapping_layers", &O::mapping_layers, "layers of the mapping network").range(1, 1000);
  list.add("network", &O::network, "what makes the soft prompt; mlp: two linear maps, for clipcap alone")
      .choices({"transformer", "mlp"});
  list.add("width", &O::width, "of the language model, unless `language_model` is given; otherwise 768")
      .range(1, kMostWidth)
      .unset();
  list.add("layers", &O::layers, "of the language model, unless `language_model` is given; otherwise 12")
      .range(1, 1000)
      .unset();
  list.add("positions", &O::positions,
           "of the language model, prompts included, unless `language_model` is given; otherwise 1024")
      .range(1, kMostWidth)
      .unset();
}

/// A soft prompt's network with fresh weights, in front of the GPT-2 of the file `language_model` or, when
/// that is empty, of a fresh one for `ids` tokens. Numbers are drawn from LibTorch's default generator.
/// Throws Error: config for sizes that do not go together, io and checkpoint for the file.
PromptedWeights start_prompted_weights(PromptedKind kind, const FreshSection& sizes,
                                       const std::string& language_model, int64_t mapping_heads,
                                       int64_t language_model_heads, int64_t ids);

}  // namespace patchioner
