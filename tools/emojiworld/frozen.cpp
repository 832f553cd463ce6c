#include "frozen.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "nn/attention.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {

FrozenTowers::FrozenTowers(const std::filesystem::path& folder)
    : tokenizer_(ClipTokenizer::open(tokenizer_path(folder))) {
  const StateDict trunk_state = StateDict::open(trunk_path(folder));
  TensorLoader trunk_loader(trunk_state, "trunk");
  trunk_loader.ignore("mask_token");
  trunk_ =
      std::make_unique<VisionTransformer>(trunk_config(), VitNames::dinov2(), weights_from(trunk_loader));
  trunk_loader.finish();
  const StateDict clip_state = StateDict::open(clip_path(folder));
  TensorLoader clip_loader(clip_state, "CLIP text tower");
  clip_loader.ignore_prefix("visual.");
  clip_loader.ignore("logit_scale");
  text_ = std::make_unique<ClipText>(clip_text_config(tokenizer_->size()), weights_from(clip_loader));
  clip_loader.finish();
  digest_ = trunk_state.digest() + clip_state.digest() + tokenizer_->digest();
}

std::string FrozenTowers::clip_digest(const std::filesystem::path& folder) const {
  return sha256_of_file(clip_path(folder)) + tokenizer_->digest();
}

at::Tensor FrozenTowers::tokens(const at::Tensor& pixels) const {
  const at::NoGradGuard no_gradients;
  return trunk_->normalise(trunk_->forward(pixels).tokens_raw);
}

at::Tensor FrozenTowers::patches(const at::Tensor& pixels) const {
  const at::NoGradGuard no_gradients;
  const VitOutput out = trunk_->forward(pixels);
  const at::Tensor tokens =
      trunk_->normalise(out.tokens_raw).slice(1, 1 + trunk_->config().registers);  // [B,G,W]
  return tokens.reshape({pixels.size(0), out.rows, out.columns, tokens.size(2)});
}

at::Tensor FrozenTowers::head_features(const at::Tensor& pixels) const {
  const at::NoGradGuard no_gradients;
  const VitOutput out = trunk_->forward(pixels);
  const int64_t first = 1 + trunk_->config().registers;
  const at::Tensor tokens = trunk_->normalise(out.tokens_raw).slice(1, first);  // [B,G,W]
  const int64_t heads = trunk_->config().block.heads;
  const double scale = 1 / std::sqrt(static_cast<double>(trunk_->config().block.width / heads));
  const at::Tensor weights =
      at::softmax(class_attention_logits(out.qkv_last, heads, scale, first), -1);  // [B,H,G]
  return at::matmul(weights, tokens);                                              // [B,H,W]
}

at::Tensor FrozenTowers::text(const std::vector<std::string>& texts) const {
  const at::NoGradGuard no_gradients;
  return text_->encode(tokenizer_->tokenize(texts, kClipContext, true));
}

void take_clip_image_tower(const std::filesystem::path& folder, Parameters& parameters,
                           const std::string& prefix, int64_t channels) {
  const StateDict tower = StateDict::open(clip_path(folder)).with_prefix("visual.");
  for (const std::string& name : tower.names()) {
    at::Tensor value = tower.tensor(name).to(at::kFloat);
    if (name == "conv1.weight" && channels > value.size(1)) {
      value = at::cat(
          {value, at::zeros({value.size(0), channels - value.size(1), value.size(2), value.size(3)})}, 1);
    }
    parameters.set(prefix + name, value);
  }
}

at::Tensor ids_of(const ClipTokenizer& tokenizer, const std::vector<std::string>& texts) {
  const at::Tensor ids = tokenizer.tokenize(texts, kClipContext, true);
  const int64_t longest = ids.ne(0).sum(1).max().item<int64_t>();
  return ids.slice(1, 0, longest);
}

at::Tensor unit(const at::Tensor& x) {
  return x / x.norm(2, -1, true).clamp_min(1e-12);
}

at::Tensor project_text(const WeightSource& source, const at::Tensor& text) {
  const int64_t dim = text.size(-1);
  const int64_t width = trunk_config().block.width;
  const at::Tensor hidden = at::tanh(
      at::linear(text, source("linear_layer.weight", {width, dim}), source("linear_layer.bias", {width})));
  return at::linear(hidden, source("hidden_layers.0.weight", {width, width}),
                    source("hidden_layers.0.bias", {width}));
}

}  // namespace patchioner::emoji
