// Talk2DINO's projection of CLIP text embeddings into DINOv2's patch space (spec/03 sections 4.2 and 4.5).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/linear.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What the projection looks like: a linear layer, then hidden layers with the activation before each.
struct TextProjectionConfig {
  int64_t in = 0;
  int64_t out = 0;
  int64_t hidden_layers = 0;
  Activation activation = Activation::none;
};

/// y = linear(t); for each hidden layer: y = hidden(activation(y)). Trainable when its source gives tensors
/// that require gradients. Names: "linear_layer.weight", "hidden_layers.0.weight" ... [any-thread]
class TextProjection {
 public:
  TextProjection(const TextProjectionConfig& config, const WeightSource& source);

  /// [N,in] -> [N,out], not L2-normalised.
  at::Tensor forward(const at::Tensor& text) const;

  /// Moore-Penrose inverse [in,out] of the linear layer's weight; every singular value above 1e-10 is
  /// inverted. Throws an Error of kind config when there are hidden layers: nothing inverts those.
  at::Tensor pseudo_inverse() const;

  /// Back to CLIP's space: (y - bias) pseudo_inverse^T, [N,out] -> [N,in]. Errors as above.
  at::Tensor invert(const at::Tensor& projected) const;

  const TextProjectionConfig& config() const { return config_; }

 private:
  TextProjectionConfig config_;
  Linear linear_;
  std::vector<Linear> hidden_;
};

}  // namespace patchioner
