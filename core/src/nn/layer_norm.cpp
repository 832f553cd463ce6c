#include "nn/layer_norm.hpp"

namespace patchioner {

LayerNorm::LayerNorm(at::Tensor weight, at::Tensor bias, double epsilon)
    : weight_(std::move(weight)), bias_(std::move(bias)), epsilon_(epsilon) {}

LayerNorm::LayerNorm(const WeightSource& source, const std::string& name, int64_t width, double epsilon)
    : LayerNorm(source(name + ".weight", {width}), source(name + ".bias", {width}), epsilon) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x.to(at::kFloat), weight_.sizes(), weight_, bias_, epsilon_);
}

}  // namespace patchioner
