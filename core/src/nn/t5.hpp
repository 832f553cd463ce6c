// T5 of version 1.1, FLAN-T5 too (spec/04 section 12.3): an encoder and a decoder without biases, with
// positions that are terms of the attention, and a gated feed-forward part.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/linear.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What a model looks like; defaults are those of all published sizes.
struct T5Config {
  int64_t width = 0;
  int64_t heads = 0;
  int64_t head_width = 0;  ///< heads times this may differ from `width`
  int64_t hidden = 0;      ///< width inside the feed-forward part
  int64_t encoder_layers = 0;
  int64_t decoder_layers = 0;
  int64_t vocabulary = 0;      ///< number of ids
  int64_t buckets = 32;        ///< rows of the table of relative positions
  int64_t max_distance = 128;  ///< from here on all distances share a bucket
  double epsilon = 1e-6;       ///< of the norms
  int64_t pad_id = 0;          ///< also what a text is begun with
  int64_t end_id = 1;
};

/// Bucket of each distance `key - query` [...] (int64): exact up to half of the buckets, then by its
/// logarithm. For both directions keys behind the query have the upper half of the buckets; otherwise they
/// share the first.
at::Tensor t5_buckets(const at::Tensor& distance, int64_t buckets, int64_t max_distance,
                      bool both_directions);

/// Names are Hugging Face's: "shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight" ...,
/// "lm_head.weight". [any-thread]
class T5 {
 public:
  T5(const T5Config& config, const WeightSource& source, at::ScalarType precision = at::kFloat);

  /// Ids [B,T] of which row b uses the first `lengths`[b] (int64, at least 1): states [B,T,W], zeros behind
  /// them. Throws an Error of kind data for an id outside the vocabulary.
  at::Tensor encode(const at::Tensor& ids, const at::Tensor& lengths) const;

  /// Logits [B,U,V] behind each of the ids [B,U], which begin with `pad_id`, given what `encode` returned.
  at::Tensor logits(const at::Tensor& encoded, const at::Tensor& lengths, const at::Tensor& ids) const;

  /// Greedy texts: ids [B,U] that begin with `pad_id` and go on until `end_id` (with it), padded with
  /// `pad_id`; U is that of the longest, at most `most`. Of equal logits the first is taken.
  at::Tensor generate(const at::Tensor& encoded, const at::Tensor& lengths, int64_t most) const;

  const T5Config& config() const { return config_; }

 private:
  struct FeedForward {
    at::Tensor norm;
    Linear gate, value, out;
  };
  struct EncoderLayer {
    at::Tensor norm;
    Linear qkv, out;
    FeedForward feed_forward;
  };
  struct DecoderLayer {
    at::Tensor norm, cross_norm;
    Linear qkv, out, cross_query, cross_key_value, cross_out;
    FeedForward feed_forward;
  };
  /// Keys and values of one decoder layer: of the text so far, and of the encoder's states.
  struct LayerState {
    at::Tensor keys, values;              // [B,H,U,d]
    at::Tensor cross_keys, cross_values;  // [B,H,T,d]
  };

  FeedForward feed_forward_from(const WeightSource& source, const std::string& layer) const;
  at::Tensor feed_forward(const FeedForward& part, const at::Tensor& x) const;
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;
  at::Tensor split(const at::Tensor& packed, int64_t part) const;
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const at::Tensor& bias) const;
  at::Tensor embed(const at::Tensor& ids) const;
  at::Tensor position_bias(const at::Tensor& table, int64_t first_query, int64_t queries, int64_t keys,
                           bool both_directions) const;
  at::Tensor padding_bias(const at::Tensor& lengths, int64_t tokens) const;
  std::vector<LayerState> begin(const at::Tensor& encoded) const;
  at::Tensor advance(const at::Tensor& ids, const at::Tensor& padding, std::vector<LayerState>& state) const;

  T5Config config_;
  at::ScalarType precision_;
  at::Tensor embedding_;                    // [V,W]
  at::Tensor encoder_bias_, decoder_bias_;  // [buckets,H]
  at::Tensor encoder_norm_, decoder_norm_;  // [W]
  std::vector<EncoderLayer> encoder_;
  std::vector<DecoderLayer> decoder_;
  Linear head_;
};

}  // namespace patchioner
