#include "nn/gpt2_training.hpp"

#include <cmath>
#include <limits>

#include "nn/dropout.hpp"

namespace patchioner {

namespace {

/// x [M,in] times W [in,out] plus b.
at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::addmm(bias, x, weight);
}

/// Causal attention of q, k, v [N,H,T,d], each possibly a view: [N,H,T,d]. `hidden` [N,1,1,T], or undefined,
/// is added to the scores.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double rate,
                  const at::Tensor& hidden) {
  if (rate <= 0 && !hidden.defined()) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, true);
  }
  const int64_t length = q.size(2);
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  const at::Tensor future =
      at::full({length, length}, -std::numeric_limits<float>::infinity(), q.options()).triu(1);  // [T,T]
  at::Tensor scores = at::matmul(q * scale, k.transpose(2, 3)) + future;                         // [N,H,T,T]
  if (hidden.defined()) {
    scores = scores + hidden;
  }
  return at::matmul(dropout(at::softmax(scores, -1), rate), v);
}

}  // namespace

at::Tensor gpt2_forward(const Gpt2Weights& weights, const at::Tensor& embeddings, bool training,
                        const at::Tensor& mask) {
  const Gpt2Config& config = weights.config;
  const int64_t rows = embeddings.size(0);
  const int64_t length = embeddings.size(1);
  const int64_t width = config.n_embd;
  const int64_t heads = config.n_head;
  const double residual_rate = training ? config.resid_pdrop : 0;
  const double attention_rate = training ? config.attn_pdrop : 0;
  const at::Tensor hidden = mask.defined()
                                ? at::where(mask != 0, 0.0, -std::numeric_limits<double>::infinity())
                                      .to(embeddings.options())
                                      .view({rows, 1, 1, length})
                                : at::Tensor();
  const auto norm = [&](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return at::layer_norm(x, {width}, weight, bias, config.layer_norm_epsilon);
  };
  at::Tensor x = embeddings + weights.position_embedding.narrow(0, 0, length);       // [N,T,E]
  x = dropout(x, training ? config.embd_pdrop : 0).reshape({rows * length, width});  // [N*T,E]
  for (const Gpt2Layer& layer : weights.layers) {
    const at::Tensor qkv =
        affine(norm(x, layer.ln_1_weight, layer.ln_1_bias), layer.c_attn_weight, layer.c_attn_bias)
            .view({rows, length, 3, heads, width / heads})
            .permute({2, 0, 3, 1, 4});  // [3,N,H,T,E/H]
    const at::Tensor mixed = attend(qkv[0], qkv[1], qkv[2], attention_rate, hidden)
                                 .transpose(1, 2)
                                 .reshape({rows * length, width});  // [N*T,E]
    x = x + dropout(affine(mixed, layer.attn_proj_weight, layer.attn_proj_bias), residual_rate);
    const at::Tensor inner = at::gelu(
        affine(norm(x, layer.ln_2_weight, layer.ln_2_bias), layer.c_fc_weight, layer.c_fc_bias), "tanh");
    x = x + dropout(affine(inner, layer.mlp_proj_weight, layer.mlp_proj_bias), residual_rate);
  }
  return norm(x, weights.ln_f_weight, weights.ln_f_bias).view({rows, length, width});  // [N,T,E]
}

at::Tensor gpt2_logits(const Gpt2Weights& weights, const at::Tensor& hidden) {
  return at::linear(hidden, weights.token_embedding);
}

TokenLoss token_loss(const Gpt2Weights& weights, const at::Tensor& hidden, const at::Tensor& labels,
                     double label_smoothing) {
  const at::Tensor flat_labels = labels.reshape({-1});                                       // [N*T]
  const at::Tensor counting = (flat_labels != 0).nonzero().squeeze(1);                       // [K]
  const at::Tensor wanted = flat_labels.index_select(0, counting);                           // [K]
  const at::Tensor states = hidden.reshape({-1, hidden.size(2)}).index_select(0, counting);  // [K,E]
  const at::Tensor logits = gpt2_logits(weights, states).to(at::kFloat);                     // [K,V]
  TokenLoss loss;
  loss.value = at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100, label_smoothing);
  loss.accuracy = (logits.detach().argmax(1) == wanted).to(at::kFloat).mean();
  return loss;
}

}  // namespace patchioner
