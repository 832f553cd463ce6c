// What is trained is what the backbone runs: with frozen norms the trained ResNet and pool give core's
// numbers.
#include "resnet_training.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>
#include <torch/utils.h>

#include "models.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

TEST_CASE("the trained ResNet equals the one for inference, and its norms remember only while it trains") {
  torch::manual_seed(1);
  Parameters parameters(3);
  TrainedResNet trained(regionclip_resnet(), parameters, "backbone.");
  const at::Tensor pixels = at::randn({4, 3, kRegionSide, kRegionSide});
  trained.last_map(trained.inner_map(pixels));
  trained.last_map(trained.inner_map(pixels * 1.5 + 0.3));
  const at::Tensor mean = parameters.buffer("backbone.layer3.0.bn2.running_mean", at::zeros({48}));
  CHECK(mean.abs().max().item<double>() > 0);
  CHECK_FALSE(mean.requires_grad());

  trained.set_training(false);
  const at::NoGradGuard no_gradients;
  const at::Tensor before = mean.clone();
  const at::Tensor map = trained.last_map(trained.inner_map(pixels));
  CHECK(at::equal(before, mean));
  const WeightSource values = [&](const std::string& name, const std::vector<int64_t>& shape) {
    return parameters.get("backbone." + name, shape).detach();
  };
  const ModifiedResNet frozen(regionclip_resnet(), values);
  CHECK(at::allclose(map, frozen.last_map(frozen.inner_map(pixels)), 1e-4, 1e-5));

  const AttentionPoolConfig config = regionclip_pool();
  Parameters pool_parameters(4);
  const at::Tensor pooled = pool_mean(config, pool_parameters.source(), map);  // [4,D]
  const AttentionPool pool(config, [&](const std::string& name, const std::vector<int64_t>& shape) {
    return pool_parameters.get(name, shape).detach();
  });
  CHECK(at::allclose(pooled, pool.pool(map, PooledRows::mean).squeeze(1), 1e-4, 1e-5));
}
