// BERT's encoder (spec/04 section 12.4): token ids to a state a token.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/layer_norm.hpp"
#include "nn/linear.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What an encoder looks like.
struct BertConfig {
  int64_t width = 0;
  int64_t heads = 0;
  int64_t hidden = 0;  ///< width inside the feed-forward part
  int64_t layers = 0;
  int64_t vocabulary = 0;  ///< number of ids
  int64_t positions = 0;   ///< rows of the position table: the most ids a text may have
  int64_t types = 2;       ///< rows of the token type table, of which the first is used
  double epsilon = 1e-12;  ///< of the LayerNorms
  Activation activation = Activation::gelu;
};

/// Post-norm: x = norm(x + attention(x)); x = norm(x + feed_forward(x)). Names are Hugging Face's without the
/// level "bert.": "embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight" ...
/// [any-thread]
class Bert {
 public:
  /// Throws an Error of kind config when the width cannot be cut into the heads.
  Bert(const BertConfig& config, const WeightSource& source, at::ScalarType precision = at::kFloat);

  /// Ids [B,T] (int64), nothing of them padding, to the last states [B,T,W] float32. Throws an Error of kind
  /// data for more than `positions` columns and for an id outside the vocabulary.
  at::Tensor forward(const at::Tensor& ids) const;

  const BertConfig& config() const { return config_; }

 private:
  struct Layer {
    Linear qkv, attention_out, fc1, fc2;
    LayerNorm attention_norm, output_norm;
  };
  BertConfig config_;
  at::ScalarType precision_;
  at::Tensor words_;      // [V,W]
  at::Tensor positions_;  // [P,W], the first token type added
  LayerNorm norm_;
  std::vector<Layer> layers_;
};

}  // namespace patchioner
