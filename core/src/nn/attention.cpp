#include "nn/attention.hpp"

#include <cmath>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

void check_heads(const at::Tensor& qkv, int64_t heads) {
  if (qkv.dim() != 3 || qkv.size(2) % 3 != 0 || heads < 1 || (qkv.size(2) / 3) % heads != 0) {
    throw Error(ErrorKind::internal, "queries, keys and values of shape {} cannot be cut into {} heads",
                qkv.dim() == 3 ? fmt::format("[B,T,{}]", qkv.size(2)) : fmt::format("{} axes", qkv.dim()),
                heads);
  }
}

}  // namespace

std::array<at::Tensor, 3> split_heads(const at::Tensor& qkv, int64_t heads) {
  check_heads(qkv, heads);
  const int64_t width = qkv.size(2) / 3;
  const at::Tensor parts =
      qkv.view({qkv.size(0), qkv.size(1), 3, heads, width / heads}).permute({2, 0, 3, 1, 4});  // [3,B,H,T,d]
  return {parts.select(0, 0), parts.select(0, 1), parts.select(0, 2)};
}

at::Tensor multi_head_attention(const at::Tensor& qkv, int64_t heads, AttentionMask mask) {
  check_heads(qkv, heads);
  const int64_t width = qkv.size(2) / 3;
  if (mask == AttentionMask::diagonal) {
    return qkv.slice(2, 2 * width);  // [B,T,W]: the softmax over a single logit is 1
  }
  const auto [q, k, v] = split_heads(qkv, heads);
  const at::Tensor mixed =
      at::scaled_dot_product_attention(q, k, v, {}, 0.0, mask == AttentionMask::causal);  // [B,H,T,d]
  return mixed.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), width});                // [B,T,W]
}

at::Tensor class_attention(const at::Tensor& qkv, int64_t heads, AttentionMask mask) {
  check_heads(qkv, heads);
  const int64_t width = qkv.size(2) / 3;
  if (mask != AttentionMask::none) {
    return qkv.slice(1, 0, 1).slice(2, 2 * width);  // [B,1,W]: under either mask it looks at itself alone
  }
  const auto [q, k, v] = split_heads(qkv, heads);
  const at::Tensor mixed = at::scaled_dot_product_attention(q.slice(2, 0, 1), k, v);  // [B,H,1,d]
  return mixed.transpose(1, 2).reshape({qkv.size(0), 1, width});                      // [B,1,W]
}

at::Tensor attention_probabilities(const at::Tensor& qkv, int64_t heads) {
  const auto [q, k, v] = split_heads(qkv.to(at::kFloat), heads);
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  return at::softmax(at::matmul(q * scale, k.transpose(2, 3)), -1);  // [B,H,T,T]
}

at::Tensor class_attention_probabilities(const at::Tensor& qkv, int64_t heads) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(qkv.size(2) / 3 / heads));
  return at::softmax(class_attention_logits(qkv, heads, scale, 0), -1);  // [B,H,T]
}

at::Tensor class_attention_logits(const at::Tensor& qkv, int64_t heads, double scale, int64_t first_patch) {
  const auto [q, k, v] = split_heads(qkv, heads);
  const at::Tensor query = q.select(2, 0).unsqueeze(-1).to(at::kFloat) * scale;  // [B,H,d,1]
  const at::Tensor keys = k.slice(2, first_patch).to(at::kFloat);                // [B,H,N,d]
  return at::matmul(keys, query).squeeze(-1);                                    // [B,H,N]
}

at::Tensor attention_map(const at::Tensor& logits, MapReduce reduce) {
  if (reduce == MapReduce::logits) {
    return at::softmax(logits.mean(1), -1);  // [B,N]
  }
  return at::softmax(logits, -1).mean(1);  // [B,N]
}

}  // namespace patchioner
