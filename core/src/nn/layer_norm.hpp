// LayerNorm, always computed in float32 (spec/02 section 14).
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "nn/weights.hpp"

namespace patchioner {

/// (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis, with the biased variance.
/// Differentiable. [any-thread]
class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(at::Tensor weight, at::Tensor bias, double epsilon);

  /// The tensors `name`.weight and `name`.bias, both [width].
  LayerNorm(const WeightSource& source, const std::string& name, int64_t width, double epsilon);

  /// [..., width] -> [..., width] in float32.
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  double epsilon_ = 0;
};

}  // namespace patchioner
