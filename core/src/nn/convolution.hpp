// Convolutions of ResNets, the frozen batch norm behind each folded into it when it is loaded (spec/02
// section 7.1).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "nn/weights.hpp"

namespace patchioner {

/// A square convolution, padded so that a stride of 1 keeps the size.
struct ConvolutionConfig {
  int64_t in = 0;  ///< channels
  int64_t out = 0;
  int64_t kernel = 1;  ///< odd
  int64_t stride = 1;
};

/// y = conv(x) + b. Maps are [B,C,H,W], channels last in memory, as oneDNN's fast kernels want them. For
/// inference only. [any-thread]
class Convolution {
 public:
  Convolution() = default;

  /// `weight` [out,in,kernel,kernel], `bias` [out]. `precision` is float32 or bfloat16, and maps come and go
  /// in precision().
  Convolution(const ConvolutionConfig& config, const at::Tensor& weight, const at::Tensor& bias,
              at::ScalarType precision = at::kFloat);

  /// The convolution `name` (without bias) with the frozen norm `norm` behind it: "<norm>.weight", ".bias",
  /// ".running_mean", ".running_var". Folded in double precision and rounded once.
  static Convolution with_frozen_norm(const ConvolutionConfig& config, const WeightSource& source,
                                      const std::string& name, const std::string& norm,
                                      at::ScalarType precision = at::kFloat);

  /// [B,in,H,W] -> [B,out,H/stride,W/stride] (rounded up).
  at::Tensor forward(const at::Tensor& x) const;

  /// The same with ReLU behind it.
  at::Tensor forward_relu(const at::Tensor& x) const;

  /// relu(conv(x) + residual), which overwrites `residual` and is returned.
  at::Tensor forward_add_relu(const at::Tensor& x, at::Tensor residual) const;

  bool defined() const { return weight_.defined(); }

  /// What it really computes in.
  at::ScalarType precision() const { return precision_; }

  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor plain(const at::Tensor& x) const;

  at::Tensor weight_;  // [out,in,kernel,kernel], channels last
  at::Tensor bias_;    // [out]
  at::ScalarType precision_ = at::kFloat;
  int64_t padding_ = 0;
  int64_t stride_ = 1;
};

}  // namespace patchioner
