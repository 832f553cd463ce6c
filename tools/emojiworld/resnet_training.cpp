#include "resnet_training.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace patchioner::emoji {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr double kNormMomentum = 0.1;
constexpr int64_t kExpansion = 4;

}  // namespace

at::Tensor TrainedResNet::convolve(const at::Tensor& x, int64_t out, int64_t kernel, int64_t stride,
                                   const std::string& name, const std::string& norm) {
  const at::Tensor weight = parameters_.get(prefix_ + name + ".weight", {out, x.size(1), kernel, kernel});
  const std::string full = prefix_ + norm;
  return at::batch_norm(at::conv2d(x, weight, {}, stride, kernel / 2),
                        parameters_.get(full + ".weight", {out}), parameters_.get(full + ".bias", {out}),
                        parameters_.buffer(full + ".running_mean", at::zeros({out})),
                        parameters_.buffer(full + ".running_var", at::ones({out})), training_, kNormMomentum,
                        kNormEpsilon, false);
}

at::Tensor TrainedResNet::layer(at::Tensor map, int64_t number) {
  const int64_t planes = config_.width << (number - 1);
  for (int64_t block = 0; block < config_.blocks[static_cast<size_t>(number - 1)]; ++block) {
    const std::string name = fmt::format("layer{}.{}.", number, block);
    const bool pools = number > 1 && block == 0;
    at::Tensor y = at::relu(convolve(map, planes, 1, 1, name + "conv1", name + "bn1"));
    y = at::relu(convolve(y, planes, 3, 1, name + "conv2", name + "bn2"));
    if (pools) {
      y = at::avg_pool2d(y, 2);
    }
    y = convolve(y, kExpansion * planes, 1, 1, name + "conv3", name + "bn3");
    if (pools || map.size(1) != kExpansion * planes) {
      map = convolve(pools ? at::avg_pool2d(map, 2) : map, kExpansion * planes, 1, 1, name + "downsample.0",
                     name + "downsample.1");
    }
    map = at::relu(y + map);
  }
  return map;
}

at::Tensor TrainedResNet::inner_map(const at::Tensor& pixels) {
  at::Tensor map = at::relu(convolve(pixels, config_.width / 2, 3, 2, "conv1", "bn1"));
  map = at::relu(convolve(map, config_.width / 2, 3, 1, "conv2", "bn2"));
  map = at::avg_pool2d(at::relu(convolve(map, config_.width, 3, 1, "conv3", "bn3")), 2);
  for (int64_t number = 1; number < 4; ++number) {
    map = layer(map, number);
  }
  return map;
}

at::Tensor TrainedResNet::last_map(const at::Tensor& inner) {
  return layer(inner, 4);
}

at::Tensor pool_mean(const AttentionPoolConfig& config, const WeightSource& source, const at::Tensor& map) {
  const int64_t width = config.width;
  const at::Tensor cells = map.flatten(2).transpose(1, 2);              // [N,G,E]
  const at::Tensor tokens = at::cat({cells.mean(1, true), cells}, 1) +  // [N,1+G,E]
                            source("positional_embedding", {config.position_rows, width});
  const auto part = [&](const std::string& name, const at::Tensor& x, int64_t out) {
    return at::linear(x, source(name + ".weight", {out, width}), source(name + ".bias", {out}));
  };
  const auto heads = [&](const at::Tensor& x) {
    return x.reshape({x.size(0), x.size(1), config.heads, width / config.heads}).transpose(1, 2);
  };
  const at::Tensor mixed = at::scaled_dot_product_attention(
      heads(part("q_proj", tokens.slice(1, 0, 1), width)), heads(part("k_proj", tokens, width)),
      heads(part("v_proj", tokens, width)));  // [N,H,1,d]
  return part("c_proj", mixed.transpose(1, 2).flatten(1), config.dim);
}

}  // namespace patchioner::emoji
