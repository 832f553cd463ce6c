#include "backbones/text_projection.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr double kSmallestSingularValue = 1e-10;  // spec/03 section 4.5

}  // namespace

TextProjection::TextProjection(const TextProjectionConfig& config, const WeightSource& source)
    : config_(config) {
  linear_ = Linear(source("linear_layer.weight", {config.out, config.in}),
                   source("linear_layer.bias", {config.out}));
  for (int64_t layer = 0; layer < config.hidden_layers; ++layer) {
    const std::string name = "hidden_layers." + std::to_string(layer);
    hidden_.emplace_back(source(name + ".weight", {config.out, config.out}),
                         source(name + ".bias", {config.out}));
  }
}

at::Tensor TextProjection::forward(const at::Tensor& text) const {
  at::Tensor y = linear_.forward(text.to(at::kFloat));  // [N,out]
  for (const Linear& hidden : hidden_) {
    y = hidden.forward(activate(y, config_.activation));  // [N,out]
  }
  return y;
}

at::Tensor TextProjection::pseudo_inverse() const {
  if (!hidden_.empty()) {
    throw Error(ErrorKind::config,
                "a projection with {} hidden layers cannot be inverted; only a purely linear one "
                "(hidden_layer: false) can",
                hidden_.size());
  }
  const auto [u, values, vt] =
      at::linalg_svd(linear_.weight().to(at::kDouble), false);  // [out,k], [k], [k,in]
  const at::Tensor inverted =
      at::where(values > kSmallestSingularValue, values.reciprocal(), at::zeros_like(values));
  return at::matmul(vt.t() * inverted, u.t()).to(at::kFloat);  // [in,out]
}

at::Tensor TextProjection::invert(const at::Tensor& projected) const {
  return at::matmul(projected.to(at::kFloat) - linear_.bias(), pseudo_inverse().t());  // [N,in]
}

}  // namespace patchioner
