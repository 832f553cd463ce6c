#include "nn/convolution.hpp"

#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <patchioner/error.hpp>
#include <string_view>

#include "checkpoint/tensor_bytes.hpp"
#include "nn/linear.hpp"

namespace patchioner {
namespace {

// Of every batch norm of CLIP's ResNets (spec/02 section 7.1).
constexpr double kNormEpsilon = 1e-5;

// oneDNN applies ReLU and the sum with the shortcut while it writes the product; LibTorch has no header for
// these operators, so they are reached through the dispatcher. They save the passes over the maps that
// at::conv2d would leave behind it, a fifth of a ResNet-50's time (`bench backbones regionclip`).
using Scalars = c10::List<std::optional<at::Scalar>>;
using Fused = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                         at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                         Scalars, std::optional<std::string_view>);
using FusedAdd = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                             const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                             at::IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>,
                             std::optional<std::string_view>, Scalars, std::optional<std::string_view>);

/// An operator of that name, or nullopt in a LibTorch that was built without oneDNN.
template <class Signature>
std::optional<c10::TypedOperatorHandle<Signature>> operator_named(const char* name, const char* overload) {
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle || !at::globalContext().hasMKLDNN()) {
    return std::nullopt;
  }
  return handle->typed<Signature>();
}

const std::optional<c10::TypedOperatorHandle<Fused>>& fused() {
  static const auto handle = operator_named<Fused>("mkldnn::_convolution_pointwise", "");
  return handle;
}

const std::optional<c10::TypedOperatorHandle<FusedAdd>>& fused_add() {
  static const auto handle = operator_named<FusedAdd>("mkldnn::_convolution_pointwise_", "binary");
  return handle;
}

constexpr std::array<int64_t, 2> kNoDilation = {1, 1};

}  // namespace

Convolution::Convolution(const ConvolutionConfig& config, const at::Tensor& weight, const at::Tensor& bias,
                         at::ScalarType precision)
    : precision_(usable_precision(precision, weight.device())),
      padding_(config.kernel / 2),
      stride_(config.stride) {
  const std::array<int64_t, 4> shape = {config.out, config.in, config.kernel, config.kernel};
  if (weight.sizes() != at::IntArrayRef(shape) || bias.dim() != 1 || bias.size(0) != config.out ||
      config.kernel % 2 == 0) {
    throw Error(
        ErrorKind::internal,
        "a convolution from {} to {} channels with a kernel of {} was given a weight {} and a bias {}",
        config.in, config.out, config.kernel, shape_text(weight.sizes()), shape_text(bias.sizes()));
  }
  weight_ = weight.to(precision_).contiguous(at::MemoryFormat::ChannelsLast);
  bias_ = bias.to(precision_).contiguous();
}

Convolution Convolution::with_frozen_norm(const ConvolutionConfig& config, const WeightSource& source,
                                          const std::string& name, const std::string& norm,
                                          at::ScalarType precision) {
  const auto of_norm = [&](const char* what) {
    return source(norm + "." + what, {config.out}).to(at::kDouble);  // [out]
  };
  const at::Tensor weight = source(name + ".weight", {config.out, config.in, config.kernel, config.kernel});
  const at::Tensor gain = of_norm("weight");
  const at::Tensor shift = of_norm("bias");
  const at::Tensor mean = of_norm("running_mean");
  const at::Tensor scale = gain / (of_norm("running_var") + kNormEpsilon).sqrt();  // [out]
  return Convolution(config, (weight.to(at::kDouble) * scale.view({-1, 1, 1, 1})).to(at::kFloat),
                     (shift - mean * scale).to(at::kFloat), precision);
}

at::Tensor Convolution::plain(const at::Tensor& x) const {
  return at::conv2d(x, weight_, bias_, {stride_, stride_}, {padding_, padding_});  // [B,out,H',W']
}

at::Tensor Convolution::forward(const at::Tensor& x) const {
  return plain(x);
}

at::Tensor Convolution::forward_relu(const at::Tensor& x) const {
  if (!fused() || !x.device().is_cpu() || x.numel() == 0) {
    return plain(x).relu_();
  }
  const std::array<int64_t, 2> padding = {padding_, padding_};
  const std::array<int64_t, 2> stride = {stride_, stride_};
  return fused()->call(x, weight_, bias_, padding, stride, kNoDilation, 1, "relu", Scalars(),
                       "");  // [B,out,H',W']
}

at::Tensor Convolution::forward_add_relu(const at::Tensor& x, at::Tensor residual) const {
  if (!fused_add() || !x.device().is_cpu() || x.numel() == 0) {
    return residual.add_(plain(x)).relu_();
  }
  const std::array<int64_t, 2> padding = {padding_, padding_};
  const std::array<int64_t, 2> stride = {stride_, stride_};
  return fused_add()->call(residual, x, weight_, bias_, padding, stride, kNoDilation, 1, "add", std::nullopt,
                           "relu", Scalars(), "");  // [B,out,H',W']
}

}  // namespace patchioner
