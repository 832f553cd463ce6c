// A network of a checkpoint that is checked when the checkpoint is opened and built when it is first used: a
// CLIP's text tower does not cost a second when only images are captioned.
#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <type_traits>

#include "nn/lazy.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// `Net` has a config(). [any-thread]
template <class Net>
class LazyTower : public Lazy<Net> {
 public:
  using Config = std::remove_cvref_t<decltype(std::declval<const Net&>().config())>;

  LazyTower() = default;
  LazyTower(Config config, typename Lazy<Net>::Make make)
      : Lazy<Net>(std::move(make)), config_(std::move(config)) {}

  /// What the network looks like; known without building it.
  const Config& config() const { return config_; }

 private:
  Config config_;
};

/// How a checkpoint's tensors are read through a loader, on a device.
using WeightReader = std::function<WeightSource(TensorLoader& loader, at::Device device)>;

/// The network that `build` makes from a source of weights. Its tensors' names and shapes are noted in
/// `loader` now, so that loader.finish() reports what does not fit; they are read when it is first used.
template <class Net>
LazyTower<Net> lazy_tower(TensorLoader& loader, WeightReader reader, at::Device device,
                          std::function<std::shared_ptr<const Net>(const WeightSource&)> build) {
  const std::shared_ptr<const Net> outline = build(reader(loader, at::kMeta));
  return {outline->config(), [loader, reader = std::move(reader), device, build = std::move(build)] {
            // Built for every later call, whatever mode the first one is in.
            const c10::InferenceMode ordinary(false);
            const at::NoGradGuard no_gradients;
            TensorLoader fresh = loader;
            std::shared_ptr<const Net> net = build(reader(fresh, device));
            fresh.release_pages();
            return net;
          }};
}

}  // namespace patchioner
