// CLIP's ResNet (spec/02 section 7.1): a stem of three convolutions, average pools where other ResNets have
// strides, and no pooling at its end. RegionCLIP's image tower; the attention pool behind it is
// attention_pool.hpp.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "nn/convolution.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What a ResNet looks like: RN50 is 64 wide with 3,4,6,3 blocks, RN50x4 80 wide with 4,6,10,6.
struct ResNetConfig {
  static constexpr int64_t kStride = 32;       ///< pixels of the input a cell of the last map stands for
  static constexpr int64_t kInnerStride = 16;  ///< the same of the last but one map

  int64_t width = 0;                   ///< channels behind the stem
  std::array<int64_t, 4> blocks = {};  ///< of layer1 to layer4

  int64_t inner_channels() const { return 16 * width; }  ///< of layer3's map
  int64_t channels() const { return 32 * width; }        ///< of layer4's map
};

/// Three convolutions around a shortcut: 1x1, 3x3, then an average pool where the stride is 2, 1x1.
/// [any-thread]
class Bottleneck {
 public:
  /// `in` channels to 4 * `planes`. `source` is already within the block.
  Bottleneck(int64_t in, int64_t planes, int64_t stride, const WeightSource& source,
             at::ScalarType precision);

  /// [B,in,H,W] -> [B,4*planes,H/stride,W/stride]. A block without a convolution in its shortcut overwrites
  /// `x`.
  at::Tensor forward(const at::Tensor& x) const;

 private:
  bool pools_ = false;
  Convolution first_;
  Convolution second_;
  Convolution third_;
  Convolution shortcut_;  // undefined where the input itself is the shortcut
};

/// Names are "conv1.weight", "bn1.running_mean", "layer1.0.downsample.0.weight" ... For inference only.
/// [any-thread]
class ModifiedResNet {
 public:
  ModifiedResNet(const ResNetConfig& config, const WeightSource& source,
                 at::ScalarType precision = at::kFloat);

  /// Pixels [B,3,H,W] -> the map of layer3 [B,16*width,H/16,W/16], channels last, in the network's precision.
  /// Throws an Error of kind data for another number of channels and for sides below 32.
  at::Tensor inner_map(const at::Tensor& pixels) const;

  /// That map, or regions pooled from it, through layer4: [B,16*width,h,w] -> [B,32*width,h/2,w/2].
  at::Tensor last_map(const at::Tensor& inner) const;

  /// Cells of the last map along a side of that many pixels. Convolutions round up and pools down: it is
  /// side / 32 rounded down, and one more when 31 pixels are left over.
  static int64_t cells(int64_t side);

  const ResNetConfig& config() const { return config_; }

 private:
  ResNetConfig config_;
  std::vector<Convolution> stem_;
  std::array<std::vector<Bottleneck>, 4> layers_;
};

}  // namespace patchioner
