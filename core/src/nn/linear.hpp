// Every Linear layer of the project, behind one class, so that how a matrix product is computed is decided in
// one place.
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

/// What is applied to a layer's output. `quick_gelu` is x * sigmoid(1.702 x), OpenAI CLIP's.
enum class Activation { none, gelu, gelu_tanh, quick_gelu, silu, relu, tanh, sigmoid };

at::Tensor activate(const at::Tensor& x, Activation activation);

/// y = x W^T + b. Weights that need no gradient are packed once for the processor's fast path (oneDNN), in
/// float32 or bfloat16; weights that require gradients go through the plain differentiable operator, so that
/// the same blocks are trained and used. [any-thread]
class Linear {
 public:
  Linear() = default;
  /// `weight` [out,in], `bias` [out] or undefined. `precision` is float32 or bfloat16 (inputs and outputs
  /// stay float32 unless they come in bfloat16).
  Linear(at::Tensor weight, at::Tensor bias, at::ScalarType precision = at::kFloat);

  /// [..., in] -> [..., out], the activation applied (fused where the fast path can).
  at::Tensor forward(const at::Tensor& x, Activation activation = Activation::none) const;

  int64_t in_features() const { return in_; }
  int64_t out_features() const { return out_; }

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  at::Tensor packed_;
  at::ScalarType precision_ = at::kFloat;
  int64_t in_ = 0;
  int64_t out_ = 0;
};

}  // namespace patchioner
