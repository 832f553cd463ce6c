#include "nn/gpt2.hpp"

#include <patchioner/error.hpp>

#include "nn/gpt2_branches.hpp"

namespace patchioner {
namespace {

/// Logits lie around -100, where bfloat16 has steps of a half. A GPU has time to spare for the float32
/// product; on a processor the head is a third of the products of a token.
at::ScalarType head_precision(at::ScalarType precision, at::Device device) {
  return device.is_cpu() ? precision : at::kFloat;
}

}  // namespace

Gpt2Cache::Gpt2Cache(const Gpt2& model, int64_t rows, int64_t capacity) : rows_(rows), capacity_(capacity) {
  model.check_length(capacity);
  const Gpt2Config& config = model.config();
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
      head_(token_embedding_, {}, head_precision(precision_, token_embedding_.device())) {
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

void Gpt2::check_length(int64_t positions) const {
  if (positions > config_.n_positions) {
    throw Error(ErrorKind::config,
                "a text of {} positions was asked of a GPT-2 that has {}; lower the number of steps",
                positions, config_.n_positions);
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

at::Tensor Gpt2::run_blocks(at::Tensor x, const Attention& attention, std::vector<at::Tensor>* blocks) const {
  const int64_t width = config_.n_embd;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    at::Tensor normed =
        at::layer_norm(x, {width}, layer.ln_1_weight, layer.ln_1_bias, config_.layer_norm_epsilon);
    const at::Tensor qkv = layer.attention_in.forward(normed.to(precision_));  // [N,T,3E]
    x = x + layer.attention_out.forward(attention(i, qkv));
    normed = at::layer_norm(x, {width}, layer.ln_2_weight, layer.ln_2_bias, config_.layer_norm_epsilon);
    const at::Tensor inner =
        layer.mlp_in.forward(normed.to(precision_), Activation::gelu_tanh);  // [N,T,inner]
    x = x + layer.mlp_out.forward(inner);
    if (blocks != nullptr) {
      blocks->push_back(x);
    }
  }
  return at::layer_norm(x, {width}, ln_f_weight_, ln_f_bias_, config_.layer_norm_epsilon);
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
  const auto attention = [&](size_t layer, const at::Tensor& qkv) {
    Gpt2Cache::Layer& stored = cache.layers_[layer];
    const at::Tensor parts =
        qkv.view({rows, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});  // [3,N,heads,T,E/heads]
    stored.keys.narrow(2, cache.length_, length).copy_(parts[1]);
    stored.values.narrow(2, cache.length_, length).copy_(parts[2]);
    const at::Tensor mixed = at::scaled_dot_product_attention(
        parts[0], stored.keys.narrow(2, 0, total), stored.values.narrow(2, 0, total),
        mask.defined() ? std::optional(mask) : std::nullopt);
    return mixed.transpose(1, 2).reshape({rows, length, width});  // [N,T,E]
  };
  const at::Tensor hidden = run_blocks(embeddings + positions(cache, length), attention, blocks);
  cache.length_ = total;
  return hidden;
}

at::Tensor Gpt2::run(const at::Tensor& embeddings, Gpt2Branches& branches) const {
  const int64_t count = embeddings.size(0);
  const int64_t width = config_.n_embd;
  TORCH_CHECK(count == branches.size() && count > 0, "there are ", branches.size(),
              " branches, but embeddings of ", count);
  check_length(branches.length_ + 1);
  branches.make_room(branches.grid().width);
  const Gpt2Branches::Grid grid = branches.grid();
  const int64_t rows = branches.rows_;
  const at::Tensor mask = branches.seen(grid);
  const bool moved = !grid.is_identity;
  const at::Tensor to_grid = moved ? branches.on_device(grid.branch) : at::Tensor();
  const at::Tensor from_grid = moved ? branches.on_device(grid.cell) : at::Tensor();
  const auto attention = [&](size_t layer, const at::Tensor& qkv) {
    const at::Tensor all = (moved ? qkv.index_select(0, to_grid) : qkv).view({rows, grid.width, 3, width});
    const auto kept = [&](at::Tensor& stored, int64_t part) {
      stored.narrow(1, branches.used_, grid.width).copy_(all.select(2, part));
      return stored.narrow(1, 0, branches.used_ + grid.width);  // [R,places,E]
    };
    const auto by_head = [&](const at::Tensor& tensor) {
      return tensor.unflatten(2, {config_.n_head, -1}).transpose(1, 2);  // [R,heads,...,E/heads]
    };
    const at::Tensor mixed = at::scaled_dot_product_attention(
        by_head(all.select(2, 0)), by_head(kept(branches.keys_[layer], 1)),
        by_head(kept(branches.values_[layer], 2)), mask);                               // [R,heads,K,E/heads]
    const at::Tensor flat = mixed.transpose(1, 2).reshape({rows * grid.width, width});  // [R K,E]
    return moved ? flat.index_select(0, from_grid) : flat;                              // [B,E]
  };
  at::Tensor position;  // [E], or [B,E]
  if (branches.padding_.empty()) {
    position = position_embedding_[branches.length_];
  } else {
    std::vector<int64_t> own;
    for (const Gpt2Branches::Branch& branch : branches.branches_) {
      own.push_back(branches.length_ - branches.padding_[static_cast<size_t>(branch.row)]);
    }
    position = at::embedding(position_embedding_, branches.on_device(own));
  }
  const at::Tensor hidden = run_blocks(embeddings + position, attention, nullptr);
  branches.advance(grid);
  return hidden;
}

at::Tensor Gpt2::logits(const at::Tensor& hidden) const {
  return head_.forward(hidden).to(at::kFloat);
}

}  // namespace patchioner
