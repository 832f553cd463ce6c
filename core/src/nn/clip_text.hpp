// CLIP's text tower (spec/02 section 9): token ids to one vector a text.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <vector>

#include "nn/transformer.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What a text tower looks like. `block.mask` is always causal.
struct ClipTextConfig {
  BlockConfig block;
  int64_t layers = 0;
  int64_t context = 0;     ///< rows of the position table: the most ids a text may have
  int64_t vocabulary = 0;  ///< number of ids
  int64_t dim = 0;         ///< D, the width of the shared space
  /// The id whose first place holds the text's feature; without it that is the first place of the row's
  /// largest id (the end marker has the largest id in CLIP's vocabulary).
  std::optional<int64_t> end_id;
};

/// Trainable when its source gives tensors that require gradients. Names are OpenAI's:
/// "token_embedding.weight", "transformer.resblocks.0.attn.in_proj_weight", "ln_final.weight",
/// "text_projection" ... [any-thread]
class ClipText {
 public:
  ClipText(const ClipTextConfig& config, const WeightSource& source, at::ScalarType precision = at::kFloat);

  /// Ids [N,C] (int64, anything behind the end marker) -> [N,D] float32, not L2-normalised. Without gradients
  /// the rows are computed in order of length, a few at a time, cut to the longest of them: nothing behind
  /// the end marker has influence. Throws an Error of kind data for more than `context` columns and for an id
  /// outside the vocabulary.
  at::Tensor encode(const at::Tensor& ids) const;

  const ClipTextConfig& config() const { return config_; }

 private:
  at::Tensor encode_chunk(const at::Tensor& ids, const at::Tensor& ends) const;
  ClipTextConfig config_;
  at::Tensor embedding_;   // [V,W]
  at::Tensor positions_;   // [C,W]
  at::Tensor projection_;  // [W,D]
  std::vector<TransformerBlock> blocks_;
  LayerNorm final_norm_;
};

}  // namespace patchioner
