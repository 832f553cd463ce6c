// A GPT-2 that speaks after a soft prompt, made from a feature, and a hard prompt, which is a text: what
// ViECap, MeaCap and, without hard prompts, ClipCap and CapDec share (spec/04 sections 3, 6, 7 and 10).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "decoding/prompt_layout.hpp"
#include "decoding/prompted_weights.hpp"
#include "nn/beam_search.hpp"
#include "nn/gpt2.hpp"
#include "nn/prompt.hpp"
#include "nn/soft_prompt.hpp"
#include "text/gpt2_tokenizer.hpp"

namespace patchioner {

/// Prompts of one call that are not equally long.
enum class PromptPadding {
  masked,     ///< each row is decoded as if alone
  reference,  ///< hard prompts are filled up with the token id 0 behind, which the model reads (spec/04 R1)
};

/// How a text is searched for: search.hpp, beam_search.hpp, nucleus_search.hpp.
enum class TextSearch { greedy, beam, nucleus };

struct TextSearchOptions {
  TextSearch type = TextSearch::greedy;
  int64_t beam_width = 5;                       ///< texts kept at every step of a beam search
  int64_t max_length = 64;                      ///< ids a text, at most, prompts not counted
  double temperature = 1;                       ///< of beams and samples: logits are divided by it
  double top_p = 0.8;                           ///< of samples: the share of probability that is drawn from
  int64_t seed = 0;                             ///< of samples
  int64_t n_best = 1;                           ///< texts that are wanted: samples that are drawn
  std::vector<std::string> stop = {".", " ."};  ///< a text ends behind the last token of one of these
};

struct PromptedGpt2Files {
  PromptedKind kind = PromptedKind::viecap;
  std::filesystem::path weights;     ///< the reference's checkpoint, or safetensors of its names
  std::filesystem::path merges;      ///< GPT-2's tokenizer (Gpt2Tokenizer::open)
  std::filesystem::path vocabulary;  ///< `vocab.json`; may be empty
  int64_t mapping_heads = 8;
  int64_t language_model_heads = 12;
  std::string text_fingerprint;  ///< of the text side that the weights were trained with; empty when unknown
};

/// Throws an Error of kind data when the tokenizer of `merges` does not have the `ids` that the language
/// model of the file `model` has.
void require_vocabulary(const Gpt2Tokenizer& tokenizer, const std::filesystem::path& merges, int64_t ids,
                        const std::filesystem::path& model);

/// Immutable. [any-thread]
class PromptedGpt2 {
 public:
  /// Throws Error: io, checkpoint when the file is no such decoder, config when heads do not divide widths,
  /// data when the tokenizer is another one than the model's.
  PromptedGpt2(const PromptedGpt2Files& files, const PluginContext& context);
  /// The same with a tokenizer that was read from `files` already.
  PromptedGpt2(const PromptedGpt2Files& files, std::shared_ptr<const Gpt2Tokenizer> tokenizer,
               const PluginContext& context);

  /// Of parameters in memory, which must not change as long as it lives.
  PromptedGpt2(PromptedWeights weights, std::shared_ptr<const Gpt2Tokenizer> tokenizer,
               const PluginContext& context);

  /// D, the width of the features that it reads.
  int64_t dim() const { return soft_prompt_->dim(); }

  const SoftPrompt& soft_prompt() const { return *soft_prompt_; }
  const Gpt2& model() const { return model_; }
  const Gpt2Tokenizer& tokenizer() const { return *tokenizer_; }

  /// What the model reads: features [R,D], as long as they were in training, a hard prompt a row (none with
  /// `no_hard`).
  PromptBatch prompts(const at::Tensor& features, std::span<const std::string> hard_prompts,
                      PromptLayout layout, PromptPadding padding = PromptPadding::masked) const;

  /// The texts of each row, the best one first: all `beam_width` of a beam search, `n_best` samples, or one
  /// of a greedy search.
  std::vector<std::vector<FoundText>> search(const PromptBatch& prompts,
                                             const TextSearchOptions& options) const;

  /// For each text exp of the mean cross entropy of its tokens behind the first, without any prompt; infinite
  /// for fewer than two tokens. Tokens behind the model's context do not count.
  std::vector<double> perplexities(std::span<const std::string> texts) const;

 private:
  at::Tensor hard_embeddings(const std::string& text, size_t length) const;
  std::vector<int64_t> end_ids(const std::vector<std::string>& stop) const;
  PluginContext context_;
  std::shared_ptr<const Gpt2Tokenizer> tokenizer_;
  std::shared_ptr<const SoftPrompt> soft_prompt_;
  Gpt2 model_;
};

}  // namespace patchioner
