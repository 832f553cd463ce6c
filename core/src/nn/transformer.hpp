// The pre-norm transformer block that all towers of the project are stacked from: CLIP's image and text
// towers, DINO, DINOv2.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "nn/attention.hpp"
#include "nn/layer_norm.hpp"
#include "nn/linear.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// How a block's tensors are called, each after the block's own prefix.
struct BlockNames {
  std::string norm1;
  std::string qkv_weight;
  std::string qkv_bias;
  std::string proj;
  std::string scale1;
  std::string norm2;
  std::string fc1;  ///< also the packed gate and value of SwiGLU
  std::string fc2;
  std::string scale2;
  std::string swiglu_in;
  std::string swiglu_out;

  static BlockNames openai();  ///< "ln_1", "attn.in_proj_weight", "mlp.c_fc" ... (spec/02 section 12)
  static BlockNames dinov2();  ///< "norm1", "attn.qkv.weight", "mlp.fc1", "mlp.w12" ... (spec/03 section 1.4)
};

/// What a block looks like.
struct BlockConfig {
  int64_t width = 0;
  int64_t heads = 0;
  int64_t hidden = 0;     ///< width inside the feed-forward part; of one half for SwiGLU
  double epsilon = 1e-5;  ///< of both LayerNorms
  Activation activation = Activation::gelu;
  bool qkv_bias = true;      ///< false: queries, keys and values are products alone (DINO.txt)
  bool layer_scale = false;  ///< both branches are multiplied by a vector
  bool swiglu = false;       ///< w3(silu(gate) * value), gate and value the halves of one product
  AttentionMask mask = AttentionMask::none;
  /// Three letters of q, k, v: which rows of the packed weight serve as queries, keys and values ("kkv": the
  /// key rows also as queries). Other than "qkv" is for inference only.
  std::string attention_type = "qkv";
};

/// x += scale1 * proj(attention(norm1(x))); x += scale2 * feed_forward(norm2(x)). The residual stream and the
/// LayerNorms are float32; the products run in `precision`. [any-thread]
class TransformerBlock {
 public:
  TransformerBlock(const BlockConfig& config, const BlockNames& names, const WeightSource& source,
                   at::ScalarType precision = at::kFloat);

  /// [B,T,W] -> [B,T,W] float32; `x` is not changed. When `qkv` is given, it receives the packed queries,
  /// keys and values [B,T,3*W] in the precision that they were computed in.
  at::Tensor forward(const at::Tensor& x, at::Tensor* qkv = nullptr) const;

  /// Token 0 of what `forward` gives, [B,T,W] -> [B,1,W], without computing the others.
  at::Tensor forward_class(const at::Tensor& x) const;

  /// The first half of the attention branch: norm1 and the packed product, [B,T,W] -> [B,T,3*W].
  at::Tensor queries_keys_values(const at::Tensor& x) const;

  /// Its end: the output projection (with bias) of mixed values [...,W], without the residual.
  at::Tensor project_values(const at::Tensor& mixed) const { return proj_.forward(mixed); }

 private:
  at::Tensor attend(const at::Tensor& x, at::Tensor* qkv) const;
  at::Tensor feed_forward(const at::Tensor& x) const;
  BlockConfig config_;
  at::ScalarType precision_;
  LayerNorm norm1_;
  LayerNorm norm2_;
  Linear qkv_;
  Linear proj_;
  Linear fc1_;
  Linear fc2_;
  at::Tensor scale1_;
  at::Tensor scale2_;
};

/// How many sequences of `tokens` tokens to take through such blocks together on the processor: as many as
/// keep the widest activation in a large cache, at least one.
int64_t sequences_at_once(const BlockConfig& block, int64_t tokens);

/// Checks an attention type: three letters of q, k, v; anything else throws an Error of kind config.
void check_attention_type(const std::string& attention_type);

}  // namespace patchioner
