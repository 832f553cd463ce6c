// From features and hard prompts to captions, as the decoders with hard prompts give them.
#pragma once

#include <patchioner/decoder.hpp>
#include <span>
#include <string>
#include <vector>

#include "decoding/prompted_options.hpp"

namespace patchioner {

/// What a decoder that is derived from it does with its prompts. [any-thread]
class PromptedCaptions {
 public:
  /// Throws as PromptedGpt2 does, and config for an option that is out of range.
  PromptedCaptions(const PromptedOptions& options, PromptedKind kind, const PluginContext& context);

  /// The same with a model that is there already.
  PromptedCaptions(const PromptedOptions& options, PromptedGpt2 model);

  int64_t dim() const { return model_.dim(); }
  const PromptedGpt2& model() const { return model_; }
  bool reads_hard_prompts() const { return layout_ != PromptLayout::no_hard; }

  /// One caption a row of features [R,D] of any length, all finite, with a hard prompt a row unless the
  /// layout has none. Throws an Error of kind config when prompt and caption may be longer than the language
  /// model's context.
  std::vector<Caption> captions(const at::Tensor& features, std::span<const std::string> hard_prompts,
                                bool explain) const;

 private:
  PromptedGpt2 model_;
  std::string place_;  // the file of the weights, for messages
  PromptLayout layout_;
  PromptPadding padding_;
  TextSearchOptions search_;
  int perplexity_sign_;  // of the score; 0: scores are log-probabilities
  Gpt2Decoding decoding_;
};

}  // namespace patchioner
