// CLIP's ResNet and attention pool (spec/02 sections 7.1 and 7.2) as they are trained: the batch norms see
// the batch and remember. For inference core/src/nn has the same with frozen, folded norms.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "nn/attention_pool.hpp"
#include "nn/modified_resnet.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {

class TrainedResNet {
 public:
  /// Names are those of a checkpoint behind `prefix`.
  TrainedResNet(const ResNetConfig& config, Parameters& parameters, std::string prefix)
      : config_(config), parameters_(parameters), prefix_(std::move(prefix)) {}

  /// False: the norms use what they remember, and remember nothing more.
  void set_training(bool training) { training_ = training; }

  /// Pixels [B,3,H,W] -> the map of layer3 [B,16*width,H/16,W/16].
  at::Tensor inner_map(const at::Tensor& pixels);
  /// That map, or regions pooled from it, through layer4: [N,16*width,h,w] -> [N,32*width,h/2,w/2].
  at::Tensor last_map(const at::Tensor& inner);

 private:
  at::Tensor layer(at::Tensor map, int64_t number);
  at::Tensor convolve(const at::Tensor& x, int64_t out, int64_t kernel, int64_t stride,
                      const std::string& name, const std::string& norm);
  ResNetConfig config_;
  Parameters& parameters_;
  std::string prefix_;
  bool training_ = true;
};

/// The row of the mean of the attention pool: a map [N,E,M,M] -> [N,D], not of unit length. M is that of the
/// position table.
at::Tensor pool_mean(const AttentionPoolConfig& config, const WeightSource& source, const at::Tensor& map);

}  // namespace patchioner::emoji
