#include "bench_eager.hpp"

#include <cmath>
#include <limits>

namespace patchioner::eager {
namespace {

/// How a family calls a block's tensors.
struct BlockNames {
  const char* norm1;
  const char* projection;
  const char* norm2;
};

BlockNames names_of(Family family) {
  return family == Family::clip ? BlockNames{"ln_1", "attn.out_proj", "ln_2"}
                                : BlockNames{"norm1", "attn.proj", "norm2"};
}

std::string blocks_prefix(Family family) {
  return family == Family::clip   ? "transformer.resblocks."
         : family == Family::dino ? "blocks."
                                  : "block_list.";
}

std::vector<Block> all_blocks(const Weights& weights, const TowerCode& code) {
  const std::string prefix = blocks_prefix(code.family);
  const std::string first = std::string(names_of(code.family).norm1) + ".weight";
  std::vector<Block> blocks;
  while (weights.contains(prefix + std::to_string(blocks.size()) + "." + first)) {
    blocks.emplace_back(weights.at(prefix + std::to_string(blocks.size()) + "."), code);
  }
  return blocks;
}

Linear packed_weights(const Weights& weights, Family family) {
  if (family != Family::clip || weights.contains("attn.in_proj.weight")) {
    return {weights, family == Family::clip ? "attn.in_proj" : "attn.qkv"};
  }
  Linear packed;
  packed.weight = weights("attn.in_proj_weight");
  packed.bias = weights("attn.in_proj_bias");
  return packed;
}

std::optional<at::Tensor> given(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

}  // namespace

Weights::Weights(const std::string& file, at::Device device)
    : state_dict_(StateDict::open(file)), device_(device) {}

at::Tensor Weights::operator()(const std::string& name) const {
  return state_dict_.tensor(name).to(device_, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor Weights::find(const std::string& name) const {
  return contains(name) ? (*this)(name) : at::Tensor();
}

Weights Weights::at(const std::string& prefix) const {
  return {state_dict_.with_prefix(prefix), device_};
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight, given(bias));
}

at::Tensor Norm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
}

Block::Block(const Weights& weights, const TowerCode& code) : code_(code) {
  const BlockNames names = names_of(code.family);
  norm1_ = Norm(weights, names.norm1, code.epsilon);
  norm2_ = Norm(weights, names.norm2, code.epsilon);
  qkv_ = packed_weights(weights, code.family);
  projection_ = Linear(weights, names.projection);
  if (code.family == Family::head) {
    gate_ = Linear(weights, "mlp.w1");
    first_ = Linear(weights, "mlp.w2");
    second_ = Linear(weights, "mlp.w3");
  } else {
    first_ = Linear(weights, code.family == Family::clip ? "mlp.c_fc" : "mlp.fc1");
    second_ = Linear(weights, code.family == Family::clip ? "mlp.c_proj" : "mlp.fc2");
  }
  scale1_ = weights.find("ls1.gamma");
  scale2_ = weights.find("ls2.gamma");
}

at::Tensor Block::attention(const at::Tensor& packed, const at::Tensor& mask) const {
  const int64_t images = packed.size(0);
  const int64_t tokens = packed.size(1);
  const int64_t width = packed.size(2) / 3;
  at::Tensor parts = packed.view({images, tokens, 3, code_.heads, width / code_.heads})
                         .permute({2, 0, 1, 3, 4});  // [3,B,T,H,d]
  if (code_.attention == AttentionCode::module) {
    parts = parts.contiguous();
  }
  parts = parts.transpose(2, 3);  // [3,B,H,T,d]
  const at::Tensor keys = parts[1];
  const at::Tensor values = parts[2];
  at::Tensor mixed;  // [B,H,T,d]
  if (code_.attention == AttentionCode::written) {
    const at::Tensor queries = parts[0] * (1 / std::sqrt(static_cast<double>(width / code_.heads)));
    at::Tensor logits = at::matmul(queries, keys.transpose(-2, -1));  // [B,H,T,T]
    if (mask.defined()) {
      logits = logits + mask;
    }
    mixed = at::matmul(at::softmax(logits, -1), values);
  } else {
    mixed = at::scaled_dot_product_attention(parts[0], keys, values, given(mask));
  }
  return projection_(mixed.transpose(1, 2).reshape({images, tokens, width}));  // [B,T,W]
}

at::Tensor Block::feed_forward(const at::Tensor& x) const {
  constexpr double kQuickGelu = 1.702;
  if (code_.family == Family::head) {
    return second_(at::silu(gate_(x)) * first_(x));
  }
  const at::Tensor hidden = first_(x);
  return second_(code_.family == Family::clip ? hidden * at::sigmoid(kQuickGelu * hidden) : at::gelu(hidden));
}

at::Tensor Block::operator()(const at::Tensor& x, const at::Tensor& mask, at::Tensor* packed) const {
  const at::Tensor qkv = this->packed(x);
  if (packed != nullptr) {
    *packed = qkv;
  }
  at::Tensor branch = attention(qkv, mask);
  const at::Tensor attended = x + (scale1_.defined() ? branch * scale1_ : branch);
  branch = feed_forward(norm2_(attended));
  return attended + (scale2_.defined() ? branch * scale2_ : branch);
}

Tower::Tower(const Weights& weights, const TowerCode& code, int64_t side) : code_(code) {
  const bool clip = code.family == Family::clip;
  patch_weight_ = weights(clip ? "conv1.weight" : "patch_embed.proj.weight");
  patch_bias_ = weights.find("patch_embed.proj.bias");
  alpha_weight_ = weights.find("conv1_alpha.weight");
  class_token_ = weights(clip ? "class_embedding" : "cls_token").view({1, 1, -1});
  registers_ = weights.find("register_tokens");
  const at::Tensor table = weights(clip ? "positional_embedding" : "pos_embed");
  positions_ = table.view({table.size(-2), table.size(-1)});
  const int64_t grid = side / patch();
  if (code.resampled_when_loaded) {
    positions_ = resample_positions(positions_, grid, grid, code.positions);
  }
  if (clip) {
    pre_norm_ = Norm(weights, "ln_pre", code.epsilon);
    projection_ = weights("proj");
  }
  final_norm_ = Norm(weights, clip ? "ln_post" : "norm", code.epsilon);
  blocks_ = all_blocks(weights, code);
  if (code.masked_last_blocks > 0) {
    const int64_t tokens = 1 + grid * grid;
    mask_ = at::full({tokens, tokens}, -std::numeric_limits<double>::infinity(), positions_.options());
    mask_.fill_diagonal_(0);
  }
}

at::Tensor Tower::embed(const at::Tensor& pixels, const at::Tensor& alpha) const {
  const int64_t images = pixels.size(0);
  const int64_t width = class_token_.size(2);
  at::Tensor map = at::conv2d(pixels, patch_weight_, given(patch_bias_), patch());  // [B,W,rows,columns]
  if (alpha_weight_.defined()) {
    map = map + at::conv2d(alpha, alpha_weight_, std::nullopt, patch());
  }
  const at::Tensor positions =
      code_.resampled_when_loaded ? positions_
                                  : resample_positions(positions_, map.size(2), map.size(3), code_.positions);
  at::Tensor x =
      at::cat({class_token_.expand({images, 1, width}), map.flatten(2).transpose(1, 2)}, 1) + positions;
  if (registers_.defined()) {
    x = at::cat({x.slice(1, 0, 1), registers_.expand({images, registers(), width}), x.slice(1, 1)}, 1);
  }
  return pre_norm_.weight.defined() ? pre_norm_(x) : x;  // [B,T,W]
}

at::Tensor Tower::run(at::Tensor tokens, size_t count, at::Tensor* packed_last) const {
  for (size_t layer = 0; layer < count; ++layer) {
    const bool masked = layer + static_cast<size_t>(code_.masked_last_blocks) >= blocks_.size();
    tokens =
        blocks_[layer](tokens, masked ? mask_ : at::Tensor(), layer + 1 == count ? packed_last : nullptr);
  }
  return tokens;
}

Head::Head(const Weights& weights, const TowerCode& code)
    : blocks_(all_blocks(weights, code)), final_norm_(weights, "ln_final", code.epsilon) {}

at::Tensor Head::operator()(at::Tensor tokens) const {
  for (const Block& block : blocks_) {
    tokens = block(tokens, {});
  }
  return final_norm_(tokens);
}

}  // namespace patchioner::eager
