// Multi-head attention over packed queries, keys and values, and the maps that are read off a class token's
// query.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace patchioner {

/// Which tokens a token may look at.
enum class AttentionMask {
  none,      ///< all of them
  causal,    ///< itself and those before it
  diagonal,  ///< itself alone: attention reduces to the token's own value (spec/02 section 3)
};

/// Queries, keys and values [B,H,T,d] of a packed product [B,T,3*H*d] whose columns are q, k, v, each
/// head-major.
std::array<at::Tensor, 3> split_heads(const at::Tensor& qkv, int64_t heads);

/// softmax(q k^T / sqrt(d)) v of a packed product [B,T,3*W] -> [B,T,W]. Differentiable. LibTorch's fused
/// operator is used: on two cores with T = 1374, d = 64 and 12 heads it takes 55 ms where a written-out
/// softmax takes 270 ms.
at::Tensor multi_head_attention(const at::Tensor& qkv, int64_t heads,
                                AttentionMask mask = AttentionMask::none);

/// The same for the class token (token 0) alone: [B,1,W].
at::Tensor class_attention(const at::Tensor& qkv, int64_t heads, AttentionMask mask = AttentionMask::none);

/// The true attention softmax(q k^T / sqrt(d)) of the tokens [B,H,T,T], without a mask, float32.
at::Tensor attention_probabilities(const at::Tensor& qkv, int64_t heads);

/// The same for the class token's query alone (token 0): [B,H,T].
at::Tensor class_attention_probabilities(const at::Tensor& qkv, int64_t heads);

/// L[b,h,j] = scale * <q[b,h,class], k[b,h,j]> over the tokens from `first_patch` on (what lies between is
/// dropped before any softmax): [B,H,N] float32. `heads` may differ from the model's: it only decides how the
/// W columns are cut (spec/03 section 3).
at::Tensor class_attention_logits(const at::Tensor& qkv, int64_t heads, double scale, int64_t first_patch);

/// How the heads' logits become one map that sums to 1.
enum class MapReduce {
  logits,  ///< softmax of the head-mean of the logits (the reference)
  probs,   ///< head-mean of the softmaxes
};

/// [B,H,N] logits -> [B,N], each row summing to 1.
at::Tensor attention_map(const at::Tensor& logits, MapReduce reduce);

}  // namespace patchioner
