#include "nn/linear.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <string_view>

namespace patchioner {
namespace {

// OpenAI CLIP's approximation of GELU (spec/02 section 1, step 4).
constexpr double kQuickGeluScale = 1.702;

std::atomic<LinearPath> chosen_path{LinearPath::automatic};

// The operators are reached through the dispatcher, since LibTorch has no header for them. A LibTorch built
// without oneDNN has none of them; then everything goes the plain way.
using Reorder = at::Tensor(const at::Tensor&, std::optional<int64_t>);
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             std::string_view, c10::List<std::optional<at::Scalar>>,
                             std::optional<std::string_view>);

std::optional<c10::TypedOperatorHandle<Reorder>> reorder_operator() {
  static const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""});
  if (!handle) {
    return std::nullopt;
  }
  return handle->typed<Reorder>();
}

std::optional<c10::TypedOperatorHandle<Pointwise>> pointwise_operator() {
  static const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!handle) {
    return std::nullopt;
  }
  return handle->typed<Pointwise>();
}

bool can_pack() {
  static const bool possible =
      at::globalContext().hasMKLDNN() && reorder_operator().has_value() && pointwise_operator().has_value();
  return possible;
}

bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0;
#else
  return false;
#endif
}

/// Measured with 1374 rows of width 768: with AVX-512 on AMD processors the packed product is 1.5 to 1.9
/// times as fast as at::linear (MKL does not use AVX-512 there), with AVX2 alone the two are equal and
/// packing only costs time and memory.
bool wants_packing(at::ScalarType precision) {
  const LinearPath path = chosen_path;
  if (path == LinearPath::plain || !can_pack()) {
    return false;
  }
  if (path == LinearPath::packed || precision == at::kBFloat16) {
    return true;
  }
  return has_avx512();
}

std::optional<at::Tensor> optional_tensor(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

bool gradients_wanted(const at::Tensor& tensor) {
  return at::GradMode::is_enabled() && tensor.defined() && tensor.requires_grad();
}

struct FusedActivation {
  const char* attribute;
  const char* algorithm;
};

/// oneDNN's name for an activation that it can apply while it writes the product; nullopt when it has none.
std::optional<FusedActivation> fused(Activation activation) {
  switch (activation) {
    case Activation::none:
      return FusedActivation{"none", "none"};
    case Activation::gelu:
      return FusedActivation{"gelu", "none"};
    case Activation::gelu_tanh:
      return FusedActivation{"gelu", "tanh"};
    case Activation::silu:
      return FusedActivation{"swish", "none"};
    case Activation::relu:
      return FusedActivation{"relu", "none"};
    case Activation::tanh:
      return FusedActivation{"tanh", "none"};
    case Activation::sigmoid:
      return FusedActivation{"sigmoid", "none"};
    case Activation::quick_gelu:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(x * kQuickGeluScale);
    case Activation::silu:
      return at::silu(x);
    case Activation::relu:
      return at::relu(x);
    case Activation::tanh:
      return at::tanh(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
  }
  throw Error(ErrorKind::internal, "activation number {} does not exist", static_cast<int>(activation));
}

at::Tensor activate_in_place(at::Tensor x, Activation activation) {
  if (gradients_wanted(x)) {
    return activate(x, activation);
  }
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return at::gelu_(x);
    case Activation::gelu_tanh:
      return at::gelu_(x, "tanh");
    case Activation::quick_gelu:
      // silu(s x) / s equals x sigmoid(s x), and stays in the same memory.
      return at::silu_(x.mul_(kQuickGeluScale)).div_(kQuickGeluScale);
    case Activation::silu:
      return at::silu_(x);
    case Activation::relu:
      return at::relu_(x);
    case Activation::tanh:
      return at::tanh_(x);
    case Activation::sigmoid:
      return at::sigmoid_(x);
  }
  throw Error(ErrorKind::internal, "activation number {} does not exist", static_cast<int>(activation));
}

void set_linear_path(LinearPath path) {
  chosen_path = path;
}

bool fast_bfloat16() {
  static const bool fast = [] {
    const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
    return can_pack() && handle && handle->typed<bool()>().call();
  }();
  return fast;
}

at::ScalarType usable_precision(at::ScalarType wanted, at::Device device) {
  // Who asks for the plain path gets what was asked for, at whatever speed.
  if (wanted == at::kBFloat16 && device.is_cpu() && !fast_bfloat16() && chosen_path != LinearPath::plain) {
    warn_once(
        "precision bf16: this processor has no bfloat16 matrix products (oneDNN needs AVX-512 or newer); "
        "computing in fp32");
    return at::kFloat;
  }
  return wanted;
}

Linear::Linear(at::Tensor weight, at::Tensor bias, at::ScalarType precision) : bias_(std::move(bias)) {
  if (weight.dim() != 2 || (bias_.defined() && (bias_.dim() != 1 || bias_.size(0) != weight.size(0)))) {
    throw Error(ErrorKind::internal, "a Linear layer needs a weight [out,in] and a bias [out], got {} and {}",
                weight.dim() == 2 ? "a matrix" : "no matrix",
                bias_.defined() ? "a bias of another size" : "no bias");
  }
  in_ = weight.size(1);
  const bool trainable = weight.requires_grad() || (bias_.defined() && bias_.requires_grad());
  precision_ = trainable ? at::kFloat : usable_precision(precision, weight.device());
  if (trainable) {
    weight_ = std::move(weight);
    return;
  }
  const at::NoGradGuard no_gradients;
  at::Tensor ready = weight.to(precision_).contiguous();  // [out,in]
  packed_bias_ = bias_.defined() ? bias_.to(precision_).contiguous() : at::Tensor();
  if (weight.device().is_cpu() && weight.numel() > 0 && wants_packing(precision_)) {
    packed_ = reorder_operator()->call(ready, std::nullopt);
  } else {
    weight_ = std::move(ready);
  }
}

bool Linear::is_trainable() const {
  return (weight_.defined() && weight_.requires_grad()) || (bias_.defined() && bias_.requires_grad());
}

at::Tensor Linear::weight() const {
  return weight_.defined() ? weight_ : packed_.to_dense();
}

at::Tensor Linear::forward(const at::Tensor& x, Activation activation) const {
  if (x.dim() == 0 || x.size(-1) != in_) {
    throw Error(ErrorKind::internal, "a Linear layer with {} inputs was given rows of {}", in_,
                x.dim() == 0 ? 0 : x.size(-1));
  }
  if (packed_.defined() && !gradients_wanted(x) && x.numel() > 0) {
    return forward_packed(x, activation);
  }
  return activate_in_place(forward_plain(x), activation);
}

at::Tensor Linear::forward_plain(const at::Tensor& x) const {
  const at::Tensor weight = this->weight();
  if (is_trainable()) {
    // Under autocast the operator chooses the precision itself.
    const bool as_it_is =
        x.scalar_type() == weight.scalar_type() || at::autocast::is_autocast_enabled(x.device().type());
    return at::linear(as_it_is ? x : x.to(weight.scalar_type()), weight, optional_tensor(bias_));
  }
  if (x.scalar_type() == precision_) {
    return at::linear(x, weight, optional_tensor(packed_bias_));
  }
  return at::linear(x.to(precision_), weight, optional_tensor(packed_bias_)).to(x.scalar_type());
}

at::Tensor Linear::forward_packed(const at::Tensor& x, Activation activation) const {
  const auto fusion = fused(activation);
  const at::Tensor y =
      pointwise_operator()->call(x.to(precision_).contiguous(), packed_, optional_tensor(packed_bias_),
                                 fusion ? fusion->attribute : "none", c10::List<std::optional<at::Scalar>>(),
                                 fusion ? fusion->algorithm : "none");  // [...,out]
  const at::Tensor result = y.to(x.scalar_type());
  return fusion ? result : activate_in_place(result, activation);
}

}  // namespace patchioner
