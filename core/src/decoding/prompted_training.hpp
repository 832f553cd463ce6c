// How captions become ids, labels and a loss for a GPT-2 behind soft and hard prompts (spec/04 section 9.4).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "decoding/prompt_layout.hpp"
#include "decoding/prompted_weights.hpp"
#include "nn/gpt2_training.hpp"
#include "text/gpt2_tokenizer.hpp"

namespace patchioner {

/// What stands behind the end of a caption in its row of ids: 0 is a token of its own.
constexpr int64_t kNoToken = -1;

/// Ids of captions [N,L], cut or filled with kNoToken behind: L is the smaller of the longest and of mean
/// plus ten standard deviations, rounded down.
at::Tensor caption_ids(const Gpt2Tokenizer& tokenizer, std::span<const std::string> captions);

/// Ids that there is room for in front of the caption: the entities and the commas between them at one each,
/// and the frame of a prompt without entities.
int64_t hard_prompt_room(int64_t max_entities, int64_t frame);

/// N captions behind their prompts. T are the ids that are read as words, S = P + T the positions of a row
/// (T with `only_hard`).
struct PromptedBatch {
  at::Tensor tokens;  ///< [N,T] int64: hard prompt, caption, zeros
  at::Tensor labels;  ///< [N,S] int64: what each position predicts, 0 where that does not count
  at::Tensor mask;    ///< [N,S] float32: 1 at positions of prompts and caption, which always come first
  std::vector<int64_t> hard_lengths;  ///< [N] ids of each hard prompt; empty without hard prompts
};

/// `ids` [N,L] are caption_ids; there is a hard prompt a row, none with `no_hard`. `prompt_length` is P,
/// `room` hard_prompt_room. A hard prompt that is longer than its room takes the place from the caption's
/// end.
PromptedBatch assemble_prompted_batch(const at::Tensor& ids,
                                      std::span<const std::vector<int64_t>> hard_prompts, PromptLayout layout,
                                      int64_t prompt_length, int64_t room);

/// The embeddings of such a batch in the layout's order: [N,S,E]. Differentiable.
at::Tensor prompted_embeddings(const PromptedWeights& weights, const at::Tensor& features,
                               const PromptedBatch& batch, PromptLayout layout);

/// Cross entropy of all labels that are not 0 nor the tokenizer's end of text. `dropout`: with the language
/// model's rates. Differentiable in whatever requires gradients.
TokenLoss prompted_loss(const PromptedWeights& weights, const at::Tensor& features,
                        const PromptedBatch& batch, PromptLayout layout, int64_t end_id, bool dropout);

}  // namespace patchioner
