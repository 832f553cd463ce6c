// Backbones made by the host from one line of YAML, and the golden cases' tensors, for the tests of single
// backbones.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <patchioner/backbone.hpp>
#include <string>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

inline std::string parity_case(const std::string& folder) {
  return fmt::format("{}/tests/parity/{}/", PATCHIONER_SOURCE_DIR, folder);
}

inline std::shared_ptr<Backbone> made_backbone(const std::string& yaml) {
  PluginHost host;
  return host.backbone(parse_yaml(yaml, "test.yaml"), PluginContext());
}

/// An expected tensor of a golden case.
inline at::Tensor expected_tensor(const std::string& folder, const std::string& name) {
  return StateDict::open(parity_case(folder) + "expected.safetensors").tensor(name);
}

/// Whether each image of a batch gets what it gets alone.
inline bool batch_equals_singles(const Backbone& backbone, const at::Tensor& batch) {
  const ImageFeatures together = backbone.encode(batch);
  for (int64_t i = 0; i < batch.size(0); ++i) {
    const ImageFeatures alone = backbone.encode(batch.slice(0, i, i + 1));
    if (!at::allclose(alone.patches[0], together.patches[i], 1e-4, 1e-5) ||
        !at::allclose(alone.global[0], together.global[i], 1e-4, 1e-5) ||
        !at::allclose(alone.attention[0], together.attention[i], 1e-4, 1e-6)) {
      return false;
    }
  }
  return true;
}

}  // namespace patchioner
