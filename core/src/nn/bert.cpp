#include "nn/bert.hpp"

#include <patchioner/error.hpp>

#include "nn/attention.hpp"

namespace patchioner {

Bert::Bert(const BertConfig& config, const WeightSource& source, at::ScalarType precision)
    : config_(config), precision_(precision) {
  const int64_t width = config.width;
  if (config.heads < 1 || width % config.heads != 0) {
    throw Error(ErrorKind::config, "a width of {} cannot be cut into {} heads", width, config.heads);
  }
  words_ = source("embeddings.word_embeddings.weight", {config.vocabulary, width});
  positions_ =
      source("embeddings.position_embeddings.weight", {config.positions, width}) +
      source("embeddings.token_type_embeddings.weight", {config.types, width}).slice(0, 0, 1);  // [P,W]
  norm_ = LayerNorm(source, "embeddings.LayerNorm", width, config.epsilon);
  precision_ = usable_precision(precision, words_.device());
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const WeightSource part = with_prefix(source, fmt::format("encoder.layer.{}.", layer));
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const std::string name : {"query", "key", "value"}) {
      weights.push_back(part("attention.self." + name + ".weight", {width, width}));
      biases.push_back(part("attention.self." + name + ".bias", {width}));
    }
    const auto linear = [&](const std::string& name, int64_t in, int64_t out) {
      return Linear(part(name + ".weight", {out, in}), part(name + ".bias", {out}), precision_);
    };
    layers_.push_back({Linear(at::cat(weights), at::cat(biases), precision_),
                       linear("attention.output.dense", width, width),
                       linear("intermediate.dense", width, config.hidden),
                       linear("output.dense", config.hidden, width),
                       LayerNorm(part, "attention.output.LayerNorm", width, config.epsilon),
                       LayerNorm(part, "output.LayerNorm", width, config.epsilon)});
  }
}

at::Tensor Bert::forward(const at::Tensor& ids) const {
  if (ids.dim() != 2 || ids.size(1) == 0 || ids.size(1) > config_.positions) {
    throw Error(ErrorKind::data, "token ids must be a table with 1 to {} columns; got {}", config_.positions,
                ids.dim() == 2 ? fmt::format("{}", ids.size(1)) : fmt::format("{} axes", ids.dim()));
  }
  const at::Tensor wanted = ids.to(words_.device(), at::kLong);  // [B,T]
  if (wanted.numel() > 0 &&
      (wanted.min().item<int64_t>() < 0 || wanted.max().item<int64_t>() >= config_.vocabulary)) {
    throw Error(ErrorKind::data,
                "token ids from {} to {} lie outside the encoder's vocabulary of {} ids; the tokenizer's "
                "vocabulary belongs to another model",
                wanted.min().item<int64_t>(), wanted.max().item<int64_t>(), config_.vocabulary);
  }
  at::Tensor x = at::embedding(words_, wanted) + positions_.slice(0, 0, ids.size(1));  // [B,T,W]
  x = norm_.forward(x);                                                                // [B,T,W]
  for (const Layer& layer : layers_) {
    const at::Tensor qkv = layer.qkv.forward(x.to(precision_));  // [B,T,3*W]
    const at::Tensor mixed =
        layer.attention_out.forward(multi_head_attention(qkv, config_.heads));         // [B,T,W]
    x = layer.attention_norm.forward(x + mixed.to(at::kFloat));                        // [B,T,W]
    const at::Tensor inner = layer.fc1.forward(x.to(precision_), config_.activation);  // [B,T,hidden]
    x = layer.output_norm.forward(x + layer.fc2.forward(inner).to(at::kFloat));        // [B,T,W]
  }
  return x;
}

}  // namespace patchioner
