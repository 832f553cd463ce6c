#include "nn/t5.hpp"

#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

std::string block_name(const char* stack, int64_t block) {
  return fmt::format("{}.block.{}.", stack, block);
}

/// Queries, keys and values in one product, as far as they are given.
Linear packed(const WeightSource& source, const std::string& name, std::initializer_list<const char*> parts,
              int64_t inner, int64_t width, at::ScalarType precision) {
  std::vector<at::Tensor> weights;
  for (const char* part : parts) {
    weights.push_back(source(name + part + ".weight", {inner, width}));
  }
  return Linear(at::cat(weights), at::Tensor(), precision);
}

}  // namespace

at::Tensor t5_buckets(const at::Tensor& distance, int64_t buckets, int64_t max_distance,
                      bool both_directions) {
  at::Tensor result = at::zeros_like(distance);
  at::Tensor steps;
  if (both_directions) {
    buckets /= 2;
    result = (distance > 0).to(at::kLong) * buckets;
    steps = distance.abs();
  } else {
    steps = -distance.clamp_max(0);
  }
  const int64_t exact = buckets / 2;
  // In float32 and in this order, since the logarithms meet whole numbers.
  const double scale = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
  const at::Tensor far = (at::log(steps.to(at::kFloat) / static_cast<double>(exact)) / scale *
                          static_cast<double>(buckets - exact))
                             .clamp_min(0)  // nearer ones, and the -inf of 0, are not taken
                             .to(at::kLong) +
                         exact;
  return result + at::where(steps < exact, steps, far.clamp_max(buckets - 1));
}

T5::T5(const T5Config& config, const WeightSource& source, at::ScalarType precision)
    : config_(config), precision_(precision) {
  const int64_t width = config.width;
  const int64_t inner = config.heads * config.head_width;
  embedding_ = source("shared.weight", {config.vocabulary, width});
  precision_ = usable_precision(precision, embedding_.device());
  const auto out = [&](const WeightSource& part, const std::string& name) {
    return Linear(part(name + "o.weight", {width, inner}), at::Tensor(), precision_);
  };
  const std::string self = "layer.0.SelfAttention.";
  const std::string cross = "layer.1.EncDecAttention.";
  const std::string bias = self + "relative_attention_bias.weight";
  encoder_bias_ = source("encoder.block.0." + bias, {config.buckets, config.heads});
  decoder_bias_ = source("decoder.block.0." + bias, {config.buckets, config.heads});
  for (int64_t block = 0; block < config.encoder_layers; ++block) {
    const WeightSource part = with_prefix(source, block_name("encoder", block));
    encoder_.push_back({part("layer.0.layer_norm.weight", {width}),
                        packed(part, self, {"q", "k", "v"}, inner, width, precision_), out(part, self),
                        feed_forward_from(part, "layer.1.")});
  }
  for (int64_t block = 0; block < config.decoder_layers; ++block) {
    const WeightSource part = with_prefix(source, block_name("decoder", block));
    decoder_.push_back({part("layer.0.layer_norm.weight", {width}),
                        part("layer.1.layer_norm.weight", {width}),
                        packed(part, self, {"q", "k", "v"}, inner, width, precision_), out(part, self),
                        packed(part, cross, {"q"}, inner, width, precision_),
                        packed(part, cross, {"k", "v"}, inner, width, precision_), out(part, cross),
                        feed_forward_from(part, "layer.2.")});
  }
  encoder_norm_ = source("encoder.final_layer_norm.weight", {width});
  decoder_norm_ = source("decoder.final_layer_norm.weight", {width});
  head_ = Linear(source("lm_head.weight", {config.vocabulary, width}), at::Tensor(), precision_);
}

T5::FeedForward T5::feed_forward_from(const WeightSource& source, const std::string& layer) const {
  const std::string dense = layer + "DenseReluDense.";
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return Linear(source(dense + name + ".weight", {out, in}), at::Tensor(), precision_);
  };
  return {source(layer + "layer_norm.weight", {config_.width}), linear("wi_0", config_.width, config_.hidden),
          linear("wi_1", config_.width, config_.hidden), linear("wo", config_.hidden, config_.width)};
}

at::Tensor T5::norm(const at::Tensor& x, const at::Tensor& weight) const {
  return (x * at::rsqrt(x.square().mean(-1, true) + config_.epsilon) * weight).to(precision_);
}

at::Tensor T5::feed_forward(const FeedForward& part, const at::Tensor& x) const {
  const at::Tensor normed = norm(x, part.norm);  // [B,T,W]
  const at::Tensor gated =
      part.gate.forward(normed, Activation::gelu_tanh) * part.value.forward(normed);  // [B,T,hidden]
  return x + part.out.forward(gated).to(at::kFloat);                                  // [B,T,W]
}

at::Tensor T5::split(const at::Tensor& packed, int64_t part) const {
  const int64_t inner = config_.heads * config_.head_width;
  return packed.narrow(2, part * inner, inner)
      .view({packed.size(0), packed.size(1), config_.heads, config_.head_width})
      .transpose(1, 2);  // [B,H,T,d]
}

at::Tensor T5::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                      const at::Tensor& bias) const {
  const at::Tensor mixed =
      at::scaled_dot_product_attention(q, k, v, bias.to(q.scalar_type()), 0.0, false, /*scale=*/1.0);
  return mixed.transpose(1, 2).reshape(
      {q.size(0), q.size(2), config_.heads * config_.head_width});  // [B,T,H*d]
}

at::Tensor T5::embed(const at::Tensor& ids) const {
  const at::Tensor wanted = ids.to(embedding_.device(), at::kLong);
  if (wanted.numel() > 0 &&
      (wanted.min().item<int64_t>() < 0 || wanted.max().item<int64_t>() >= config_.vocabulary)) {
    throw Error(
        ErrorKind::data,
        "token ids from {} to {} lie outside the model's vocabulary of {} ids; the tokenizer belongs to "
        "another model",
        wanted.min().item<int64_t>(), wanted.max().item<int64_t>(), config_.vocabulary);
  }
  return at::embedding(embedding_, wanted);
}

/// [1,H,queries,keys] of the queries from `first_query` on.
at::Tensor T5::position_bias(const at::Tensor& table, int64_t first_query, int64_t queries, int64_t keys,
                             bool both_directions) const {
  // On the processor, whose logarithms are the reference's: where they meet whole numbers, others may not.
  const at::Tensor distance = at::arange(keys, at::kLong).unsqueeze(0) -
                              at::arange(first_query, first_query + queries, at::kLong).unsqueeze(1);
  const at::Tensor buckets =
      t5_buckets(distance, config_.buckets, config_.max_distance, both_directions);  // [queries,keys]
  at::Tensor bias = at::embedding(table, buckets.to(table.device()));                // [queries,keys,H]
  if (!both_directions) {
    bias = bias.masked_fill((distance > 0).unsqueeze(-1).to(table.device()),
                            -std::numeric_limits<float>::infinity());
  }
  return bias.permute({2, 0, 1}).contiguous().unsqueeze(0);  // as fused attention takes it
}

/// [B,1,1,tokens]: minus infinity at the keys behind each row's length.
at::Tensor T5::padding_bias(const at::Tensor& lengths, int64_t tokens) const {
  const at::Tensor places = at::arange(tokens, at::TensorOptions(at::kLong).device(embedding_.device()));
  const at::Tensor behind =
      places.unsqueeze(0) >= lengths.to(embedding_.device()).unsqueeze(1);  // [B,tokens]
  return at::zeros(behind.sizes(), embedding_.options().requires_grad(false))
      .masked_fill(behind, -std::numeric_limits<float>::infinity())
      .unsqueeze(1)
      .unsqueeze(1);
}

at::Tensor T5::encode(const at::Tensor& ids, const at::Tensor& lengths) const {
  at::Tensor x = embed(ids);  // [B,T,W]
  const int64_t tokens = ids.size(1);
  const at::Tensor padding = padding_bias(lengths, tokens);                                 // [B,1,1,T]
  const at::Tensor bias = position_bias(encoder_bias_, 0, tokens, tokens, true) + padding;  // [B,H,T,T]
  for (const EncoderLayer& layer : encoder_) {
    const at::Tensor qkv = layer.qkv.forward(norm(x, layer.norm));  // [B,T,3*H*d]
    x = x + layer.out.forward(attend(split(qkv, 0), split(qkv, 1), split(qkv, 2), bias)).to(at::kFloat);
    x = feed_forward(layer.feed_forward, x);  // [B,T,W]
  }
  const at::Tensor used = (padding.squeeze(1).transpose(1, 2) == 0);  // [B,T,1]
  return norm(x, encoder_norm_).to(at::kFloat) * used;                // [B,T,W]
}

std::vector<T5::LayerState> T5::begin(const at::Tensor& encoded) const {
  std::vector<LayerState> states;
  for (const DecoderLayer& layer : decoder_) {
    const at::Tensor key_value = layer.cross_key_value.forward(encoded.to(precision_));  // [B,T,2*H*d]
    states.push_back({{}, {}, split(key_value, 0), split(key_value, 1)});
  }
  return states;
}

/// States of the next ids [B,U] of every row, [B,U,W], normalised; their keys and values are kept.
at::Tensor T5::advance(const at::Tensor& ids, const at::Tensor& padding,
                       std::vector<LayerState>& states) const {
  at::Tensor x = embed(ids);  // [B,U,W]
  const int64_t before = states.empty() || !states[0].keys.defined() ? 0 : states[0].keys.size(2);
  const at::Tensor bias =
      position_bias(decoder_bias_, before, ids.size(1), before + ids.size(1), false);  // [1,H,U,before+U]
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const DecoderLayer& layer = decoder_[i];
    LayerState& state = states[i];
    const at::Tensor qkv = layer.qkv.forward(norm(x, layer.norm));  // [B,U,3*H*d]
    state.keys = before == 0 ? split(qkv, 1) : at::cat({state.keys, split(qkv, 1)}, 2);
    state.values = before == 0 ? split(qkv, 2) : at::cat({state.values, split(qkv, 2)}, 2);
    x = x + layer.out.forward(attend(split(qkv, 0), state.keys, state.values, bias)).to(at::kFloat);
    const at::Tensor query = layer.cross_query.forward(norm(x, layer.cross_norm));  // [B,U,H*d]
    x = x + layer.cross_out.forward(attend(split(query, 0), state.cross_keys, state.cross_values, padding))
                .to(at::kFloat);
    x = feed_forward(layer.feed_forward, x);  // [B,U,W]
  }
  return norm(x, decoder_norm_);
}

at::Tensor T5::logits(const at::Tensor& encoded, const at::Tensor& lengths, const at::Tensor& ids) const {
  std::vector<LayerState> states = begin(encoded);
  return head_.forward(advance(ids, padding_bias(lengths, encoded.size(1)), states)).to(at::kFloat);
}

at::Tensor T5::generate(const at::Tensor& encoded, const at::Tensor& lengths, int64_t most) const {
  const int64_t rows = encoded.size(0);
  const at::TensorOptions integers = at::TensorOptions(at::kLong).device(encoded.device());
  const at::Tensor padding = padding_bias(lengths, encoded.size(1));
  std::vector<LayerState> states = begin(encoded);
  std::vector<at::Tensor> columns = {at::full({rows, 1}, config_.pad_id, integers)};
  at::Tensor finished = at::zeros({rows, 1}, integers.dtype(at::kBool));
  while (static_cast<int64_t>(columns.size()) < most && !finished.all().item<bool>()) {
    const at::Tensor next = head_.forward(advance(columns.back(), padding, states)).to(at::kFloat).argmax(2);
    columns.push_back(next.masked_fill(finished, config_.pad_id));  // [B,1]
    finished = finished | (next == config_.end_id);
  }
  return at::cat(columns, 1);  // [B,U]
}

}  // namespace patchioner
