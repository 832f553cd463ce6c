#include "nn/gpt2.hpp"

#include <limits>
#include <patchioner/error.hpp>

namespace patchioner {

Gpt2Cache::Gpt2Cache(const Gpt2& model, int64_t rows, int64_t capacity) : rows_(rows), capacity_(capacity) {
  const Gpt2Config& config = model.config();
  if (capacity > config.n_positions) {
    throw Error(ErrorKind::config,
                "a text of {} positions was asked of a GPT-2 that has {}; lower the number of steps",
                capacity, config.n_positions);
  }
  const auto options = model.token_embedding_.options().dtype(model.precision_);
  for (int64_t layer = 0; layer < config.n_layer; ++layer) {
    const std::array<int64_t, 4> shape{rows, config.n_head, capacity, config.head_width()};
    layers_.push_back({at::empty(shape, options), at::empty(shape, options)});
  }
}

void Gpt2Cache::set_left_padding(const at::Tensor& padding) {
  TORCH_CHECK(length_ == 0 && padding.dim() == 1 && padding.size(0) == rows_,
              "left padding must be [N] and come first");
  padding_ = padding;
}

void Gpt2Cache::select(const at::Tensor& rows) {
  for (Layer& layer : layers_) {
    for (at::Tensor* tensor : {&layer.keys, &layer.values}) {
      // Only the positions in use are copied.
      at::Tensor chosen =
          at::empty({rows.size(0), tensor->size(1), capacity_, tensor->size(3)}, tensor->options());
      chosen.narrow(2, 0, length_).copy_(tensor->narrow(2, 0, length_).index_select(0, rows));
      *tensor = chosen;
    }
  }
  if (padding_.defined()) {
    padding_ = padding_.index_select(0, rows);
  }
  rows_ = rows.size(0);
}

Gpt2::Gpt2(const Gpt2Weights& weights, at::ScalarType precision)
    : config_(weights.config),
      precision_(usable_precision(precision, weights.token_embedding.device())),
      token_embedding_(weights.token_embedding.detach().clone()),
      position_embedding_(weights.position_embedding.detach().clone()),
      ln_f_weight_(weights.ln_f_weight.detach().clone()),
      ln_f_bias_(weights.ln_f_bias.detach().clone()),
      head_(token_embedding_, {}, precision_) {
  // The checkpoint's matrices are input x output, Linear's are output x input.
  const auto linear = [&](const at::Tensor& weight, const at::Tensor& bias) {
    return Linear(weight.detach().t().contiguous(), bias.detach().clone(), precision_);
  };
  for (const Gpt2Layer& layer : weights.layers) {
    layers_.push_back(
        {layer.ln_1_weight.detach().clone(), layer.ln_1_bias.detach().clone(),
         layer.ln_2_weight.detach().clone(), layer.ln_2_bias.detach().clone(),
         linear(layer.c_attn_weight, layer.c_attn_bias), linear(layer.attn_proj_weight, layer.attn_proj_bias),
         linear(layer.c_fc_weight, layer.c_fc_bias), linear(layer.mlp_proj_weight, layer.mlp_proj_bias)});
  }
}

at::Tensor Gpt2::embed(const at::Tensor& ids) const {
  return at::embedding(token_embedding_, ids);
}

at::Tensor Gpt2::positions(const Gpt2Cache& cache, int64_t new_positions) const {
  if (!cache.padding_.defined()) {
    return position_embedding_.narrow(0, cache.length_, new_positions);  // [T,E]
  }
  const at::Tensor index =
      at::arange(cache.length_, cache.length_ + new_positions, cache.padding_.options());         // [T]
  return at::embedding(position_embedding_, (index - cache.padding_.unsqueeze(1)).clamp_min(0));  // [N,T,E]
}

at::Tensor Gpt2::attention_mask(const Gpt2Cache& cache, int64_t new_positions) const {
  const bool causal = new_positions > 1;
  if (!causal && !cache.padding_.defined()) {
    return {};  // one new position sees everything before it
  }
  const auto options = at::TensorOptions(at::kLong).device(token_embedding_.device());
  const int64_t total = cache.length_ + new_positions;
  const at::Tensor key = at::arange(total, options);                                // [length+T]
  const at::Tensor query = at::arange(cache.length_, total, options).unsqueeze(1);  // [T,1]
  at::Tensor seen = (key <= query).unsqueeze(0).unsqueeze(0);                       // [1,1,T,length+T]
  if (cache.padding_.defined()) {
    const at::Tensor first = cache.padding_.view({-1, 1, 1, 1});  // [N,1,1,1]
    // A padding position sees itself, so that its row of the softmax is not empty; nobody reads what it
    // gives.
    seen = seen & ((key >= first) | (key == query));
  }
  return seen;
}

at::Tensor Gpt2::run(const at::Tensor& embeddings, Gpt2Cache& cache, std::vector<at::Tensor>* blocks) const {
  const int64_t rows = embeddings.size(0);
  const int64_t length = embeddings.size(1);
  const int64_t width = config_.n_embd;
  const int64_t heads = config_.n_head;
  TORCH_CHECK(rows == cache.rows_, "the cache has ", cache.rows_, " rows, the embeddings have ", rows);
  if (cache.length_ + length > cache.capacity_) {
    throw Error(ErrorKind::data, "a text of {} positions does not fit a cache of {}", cache.length_ + length,
                cache.capacity_);
  }
  const int64_t total = cache.length_ + length;
  const at::Tensor mask = attention_mask(cache, length);
  at::Tensor x = embeddings + positions(cache, length);  // [N,T,E]
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    Gpt2Cache::Layer& stored = cache.layers_[i];
    at::Tensor normed =
        at::layer_norm(x, {width}, layer.ln_1_weight, layer.ln_1_bias, config_.layer_norm_epsilon);
    at::Tensor qkv = layer.attention_in.forward(normed.to(precision_));  // [N,T,3E]
    qkv =
        qkv.view({rows, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});  // [3,N,heads,T,E/heads]
    stored.keys.narrow(2, cache.length_, length).copy_(qkv[1]);
    stored.values.narrow(2, cache.length_, length).copy_(qkv[2]);
    at::Tensor mixed = at::scaled_dot_product_attention(qkv[0], stored.keys.narrow(2, 0, total),
                                                        stored.values.narrow(2, 0, total),
                                                        mask.defined() ? std::optional(mask) : std::nullopt);
    mixed = mixed.transpose(1, 2).reshape({rows, length, width});  // [N,T,E]
    x = x + layer.attention_out.forward(mixed);
    normed = at::layer_norm(x, {width}, layer.ln_2_weight, layer.ln_2_bias, config_.layer_norm_epsilon);
    const at::Tensor inner =
        layer.mlp_in.forward(normed.to(precision_), Activation::gelu_tanh);  // [N,T,inner]
    x = x + layer.mlp_out.forward(inner);
    if (blocks != nullptr) {
      blocks->push_back(x);
    }
  }
  cache.length_ = total;
  return at::layer_norm(x, {width}, ln_f_weight_, ln_f_bias_, config_.layer_norm_epsilon);
}

at::Tensor Gpt2::logits(const at::Tensor& hidden) const {
  return head_.forward(hidden).to(at::kFloat);
}

}  // namespace patchioner
