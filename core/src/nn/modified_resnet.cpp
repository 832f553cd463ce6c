#include "nn/modified_resnet.hpp"

#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {
namespace {

// A bottleneck widens by this much (spec/02 section 7.1).
constexpr int64_t kExpansion = 4;

at::Tensor halve(const at::Tensor& map) {
  return at::avg_pool2d(map, 2);  // [B,C,H/2,W/2]
}

at::Tensor run(const std::vector<Bottleneck>& layer, at::Tensor map) {
  for (const Bottleneck& block : layer) {
    map = block.forward(map);
  }
  return map;
}

}  // namespace

Bottleneck::Bottleneck(int64_t in, int64_t planes, int64_t stride, const WeightSource& source,
                       at::ScalarType precision)
    : pools_(stride == 2) {
  const auto convolution = [&](int64_t from, int64_t to, int64_t kernel, const char* name, const char* norm) {
    return Convolution::with_frozen_norm({from, to, kernel, 1}, source, name, norm, precision);
  };
  const int64_t out = kExpansion * planes;
  first_ = convolution(in, planes, 1, "conv1", "bn1");
  second_ = convolution(planes, planes, 3, "conv2", "bn2");
  third_ = convolution(planes, out, 1, "conv3", "bn3");
  if (pools_ || in != out) {
    shortcut_ = convolution(in, out, 1, "downsample.0", "downsample.1");
  }
}

at::Tensor Bottleneck::forward(const at::Tensor& x) const {
  at::Tensor y = second_.forward_relu(first_.forward_relu(x));  // [B,planes,H,W]
  if (pools_) {
    y = halve(y);
  }
  const at::Tensor shortcut = shortcut_.defined() ? shortcut_.forward(pools_ ? halve(x) : x) : x;
  return third_.forward_add_relu(y, shortcut);  // [B,4*planes,H/stride,W/stride]
}

ModifiedResNet::ModifiedResNet(const ResNetConfig& config, const WeightSource& source,
                               at::ScalarType precision)
    : config_(config) {
  const int64_t half = config.width / 2;
  stem_.push_back(Convolution::with_frozen_norm({3, half, 3, 2}, source, "conv1", "bn1", precision));
  stem_.push_back(Convolution::with_frozen_norm({half, half, 3, 1}, source, "conv2", "bn2", precision));
  stem_.push_back(
      Convolution::with_frozen_norm({half, config.width, 3, 1}, source, "conv3", "bn3", precision));
  int64_t in = config.width;
  int64_t planes = config.width;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    for (int64_t block = 0; block < config.blocks[layer]; ++block) {
      const int64_t stride = layer > 0 && block == 0 ? 2 : 1;
      layers_[layer].emplace_back(
          in, planes, stride, with_prefix(source, fmt::format("layer{}.{}.", layer + 1, block)), precision);
      in = kExpansion * planes;
    }
    planes *= 2;
  }
}

at::Tensor ModifiedResNet::inner_map(const at::Tensor& pixels) const {
  if (pixels.dim() != 4 || pixels.size(1) != 3) {
    throw Error(ErrorKind::data, "pixels have the shape {}; expected [images, 3, height, width]",
                shape_text(pixels.sizes()));
  }
  if (pixels.size(2) < ResNetConfig::kStride || pixels.size(3) < ResNetConfig::kStride) {
    throw Error(ErrorKind::data, "an input of {} x {} pixels is smaller than one patch of {} x {}",
                pixels.size(3), pixels.size(2), ResNetConfig::kStride, ResNetConfig::kStride);
  }
  at::Tensor map =
      pixels.to(stem_.front().precision()).contiguous(at::MemoryFormat::ChannelsLast);  // [B,3,H,W]
  for (const Convolution& convolution : stem_) {
    map = convolution.forward_relu(map);
  }
  map = halve(map);  // [B,w,H/4,W/4]
  for (size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
    map = run(layers_[layer], std::move(map));
  }
  return map;  // [B,16*w,H/16,W/16]
}

at::Tensor ModifiedResNet::last_map(const at::Tensor& inner) const {
  return run(layers_.back(), inner.to(stem_.front().precision()).contiguous(at::MemoryFormat::ChannelsLast));
}

int64_t ModifiedResNet::cells(int64_t side) {
  return (side + 1) / ResNetConfig::kStride;
}

}  // namespace patchioner
