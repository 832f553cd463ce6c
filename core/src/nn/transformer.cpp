#include "nn/transformer.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <patchioner/error.hpp>
#include <vector>

namespace patchioner {
namespace {

// What the widest activation of a pass may take on the processor. Blocks of up to 32 MB are handed out again
// by the allocator without a visit to the kernel, and stay in a large cache; a batch whose activations are
// larger is computed in parts.
constexpr int64_t kMostActivationBytes = 24'000'000;

/// The packed weight or bias with its three parts chosen anew.
at::Tensor reassemble(const at::Tensor& packed, int64_t width, const std::string& attention_type) {
  if (attention_type == "qkv" || !packed.defined()) {
    return packed;
  }
  std::vector<at::Tensor> parts;
  for (const char letter : attention_type) {
    parts.push_back(packed.narrow(0, (letter == 'q' ? 0 : letter == 'k' ? 1 : 2) * width, width));
  }
  return at::cat(parts);
}

Linear linear_from(const WeightSource& source, const std::string& name, int64_t in, int64_t out,
                   at::ScalarType precision) {
  return Linear(source(name + ".weight", {out, in}), source(name + ".bias", {out}), precision);
}

/// x + scale * branch, in the memory of x when it is ours to overwrite and no gradient is wanted.
at::Tensor add_branch(at::Tensor x, const at::Tensor& branch, const at::Tensor& scale, bool overwrite) {
  const at::Tensor y = branch.to(at::kFloat);
  if (overwrite && !at::GradMode::is_enabled()) {
    return scale.defined() ? x.addcmul_(y, scale) : x.add_(y);
  }
  return scale.defined() ? at::addcmul(x, y, scale) : at::add(x, y);
}

}  // namespace

BlockNames BlockNames::openai() {
  BlockNames names;
  names.norm1 = "ln_1";
  names.qkv_weight = "attn.in_proj_weight";
  names.qkv_bias = "attn.in_proj_bias";
  names.proj = "attn.out_proj";
  names.norm2 = "ln_2";
  names.fc1 = "mlp.c_fc";
  names.fc2 = "mlp.c_proj";
  return names;
}

BlockNames BlockNames::dinov2() {
  BlockNames names;
  names.norm1 = "norm1";
  names.qkv_weight = "attn.qkv.weight";
  names.qkv_bias = "attn.qkv.bias";
  names.proj = "attn.proj";
  names.scale1 = "ls1.gamma";
  names.norm2 = "norm2";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  names.scale2 = "ls2.gamma";
  names.swiglu_in = "mlp.w12";
  names.swiglu_out = "mlp.w3";
  return names;
}

int64_t sequences_at_once(const BlockConfig& block, int64_t tokens) {
  const int64_t widest = std::max(3 * block.width, (block.swiglu ? 2 : 1) * block.hidden);
  const int64_t bytes = tokens * widest * static_cast<int64_t>(sizeof(float));
  return std::max<int64_t>(1, kMostActivationBytes / bytes);
}

void check_attention_type(const std::string& attention_type) {
  if (attention_type.size() != 3 || attention_type.find_first_not_of("qkv") != std::string::npos) {
    throw Error(ErrorKind::config,
                "attention_type '{}' must be three of the letters q, k, v, such as qkv or kkv",
                attention_type);
  }
}

TransformerBlock::TransformerBlock(const BlockConfig& config, const BlockNames& names,
                                   const WeightSource& source, at::ScalarType precision)
    : config_(config), precision_(precision) {
  const int64_t width = config.width;
  check_attention_type(config.attention_type);
  if (config.heads < 1 || width % config.heads != 0) {
    throw Error(ErrorKind::config, "a width of {} cannot be cut into {} heads", width, config.heads);
  }
  norm1_ = LayerNorm(source, names.norm1, width, config.epsilon);
  norm2_ = LayerNorm(source, names.norm2, width, config.epsilon);
  const at::Tensor qkv_weight = source(names.qkv_weight, {3 * width, width});
  const at::Tensor qkv_bias = config.qkv_bias ? source(names.qkv_bias, {3 * width}) : at::Tensor();
  precision_ = usable_precision(precision, qkv_weight.device());
  qkv_ = Linear(reassemble(qkv_weight, width, config.attention_type),
                reassemble(qkv_bias, width, config.attention_type), precision_);
  proj_ = linear_from(source, names.proj, width, width, precision_);
  const int64_t fc1_out = config.swiglu ? 2 * config.hidden : config.hidden;
  fc1_ = linear_from(source, config.swiglu ? names.swiglu_in : names.fc1, width, fc1_out, precision_);
  fc2_ = linear_from(source, config.swiglu ? names.swiglu_out : names.fc2, config.hidden, width, precision_);
  if (config.layer_scale) {
    scale1_ = source(names.scale1, {width});
    scale2_ = source(names.scale2, {width});
  }
}

at::Tensor TransformerBlock::queries_keys_values(const at::Tensor& x) const {
  return qkv_.forward(norm1_.forward(x).to(precision_));  // [B,T,3*W]
}

at::Tensor TransformerBlock::attend(const at::Tensor& x, at::Tensor* qkv) const {
  const at::Tensor packed = queries_keys_values(x);  // [B,T,3*W]
  if (qkv != nullptr) {
    *qkv = packed;
  }
  return proj_.forward(multi_head_attention(packed, config_.heads, config_.mask));  // [B,T,W]
}

at::Tensor TransformerBlock::feed_forward(const at::Tensor& x) const {
  const at::Tensor normed = norm2_.forward(x).to(precision_);  // [B,T,W]
  if (!config_.swiglu) {
    return fc2_.forward(fc1_.forward(normed, config_.activation));  // [B,T,W]
  }
  const std::vector<at::Tensor> halves =
      fc1_.forward(normed).chunk(2, -1);                 // gate and value, each [B,T,hidden]
  return fc2_.forward(at::silu(halves[0]) * halves[1]);  // [B,T,W]
}

at::Tensor TransformerBlock::forward_class(const at::Tensor& x) const {
  const at::Tensor mixed = class_attention(queries_keys_values(x), config_.heads, config_.mask);   // [B,1,W]
  const at::Tensor attended = add_branch(x.slice(1, 0, 1), proj_.forward(mixed), scale1_, false);  // [B,1,W]
  return add_branch(attended, feed_forward(attended), scale2_, true);                              // [B,1,W]
}

at::Tensor TransformerBlock::forward(const at::Tensor& x, at::Tensor* qkv) const {
  const at::Tensor attended = add_branch(x, attend(x, qkv), scale1_, false);  // [B,T,W]
  return add_branch(attended, feed_forward(attended), scale2_, true);         // [B,T,W]
}

}  // namespace patchioner
