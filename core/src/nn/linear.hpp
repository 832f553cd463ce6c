// Every Linear layer of the project, behind one class, so that how a matrix product is computed is decided in
// one place.
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

/// What is applied to a layer's output. `quick_gelu` is x * sigmoid(1.702 x), OpenAI CLIP's; `gelu` is the
/// exact (erf) one.
enum class Activation { none, gelu, gelu_tanh, quick_gelu, silu, relu, tanh, sigmoid };

/// The activation of any tensor; differentiable.
at::Tensor activate(const at::Tensor& x, Activation activation);

/// The same, overwriting `x` where no gradient is wanted; for results that nobody else holds. Returns the
/// result.
at::Tensor activate_in_place(at::Tensor x, Activation activation);

/// How layers whose weights need no gradient compute on the processor.
enum class LinearPath {
  automatic,  ///< packed where it is the faster one: processors with AVX-512, and bfloat16 wherever oneDNN
              ///< has it
  packed,     ///< weights reordered once for oneDNN
  plain,      ///< at::linear
};

/// Chooses the path of layers made from now on in this process; for tests and measurements. [one-thread]
void set_linear_path(LinearPath path);

/// Whether this processor has fast bfloat16 matrix products. Without them layers asked for bfloat16 compute
/// in float32, and say so once: emulated bfloat16 would be several times slower than float32.
bool fast_bfloat16();

/// The precision that is really used for a wish on a device: bfloat16 on a processor without it becomes
/// float32, with a warning, unless the plain path was chosen by hand.
at::ScalarType usable_precision(at::ScalarType wanted, at::Device device);

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

  /// False for a layer that was made without a weight.
  bool defined() const { return in_ > 0; }

  /// The weight [out,in] in plain layout (unpacked when it was packed, a copy then).
  at::Tensor weight() const;

  /// The bias [out] as it was given, or undefined.
  const at::Tensor& bias() const { return bias_; }

  /// Whether calls without gradients take the packed path.
  bool is_packed() const { return packed_.defined(); }

 private:
  bool is_trainable() const;
  at::Tensor forward_plain(const at::Tensor& x) const;
  at::Tensor forward_packed(const at::Tensor& x, Activation activation) const;
  at::Tensor weight_;       // plain layout; undefined once packed
  at::Tensor bias_;         // as given
  at::Tensor packed_;       // oneDNN layout, in precision_
  at::Tensor packed_bias_;  // in precision_
  at::ScalarType precision_ = at::kFloat;
  int64_t in_ = 0;
};

}  // namespace patchioner
