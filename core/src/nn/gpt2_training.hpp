// The differentiable forward pass of GPT-2, on the parameters themselves: for training, and for the logits of
// given ids.
#pragma once

#include <ATen/ATen.h>

#include "nn/gpt2_weights.hpp"

namespace patchioner {

/// Embeddings [N,T,E] (without positions, which are added here) to hidden states [N,T,E] after the final
/// layer norm, causal. While `training` the config's rates apply, drawn from LibTorch's default generator.
/// `mask` [N,T], when given, has zeros at the positions that nobody attends to; the first must not be one.
at::Tensor gpt2_forward(const Gpt2Weights& weights, const at::Tensor& embeddings, bool training,
                        const at::Tensor& mask = {});

/// Hidden states [...,E] to logits [...,V] through the tied head.
at::Tensor gpt2_logits(const Gpt2Weights& weights, const at::Tensor& hidden);

/// A cross entropy and how often the arg-max hits.
struct TokenLoss {
  at::Tensor value;     ///< scalar, differentiable
  at::Tensor accuracy;  ///< scalar float32, no gradient: hits among the labels that count
};

/// Cross entropy of hidden states [N,T,E] against labels [N,T] int64, where label 0 (padding) does not count:
/// with smoothing s, the mean over the others of (1-s) * -log p(label) + s * mean over all V of -log p
/// (spec/01 section 6.2). Logits are made for the positions that count only. Without any such label the loss
/// is NaN, as the mean of nothing.
TokenLoss token_loss(const Gpt2Weights& weights, const at::Tensor& hidden, const at::Tensor& labels,
                     double label_smoothing);

}  // namespace patchioner
