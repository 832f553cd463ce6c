// Backbones made by the host from one line of YAML, and the golden cases' tensors, for the tests of single
// backbones.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <patchioner/backbone.hpp>
#include <string>
#include <utility>
#include <vector>

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

/// A copy of a checkpoint whose tensors `change` may rename and replace; an empty name leaves one out. It is
/// written as what the ending of `path` says, .safetensors or .pth; gives the path.
inline std::string changed_copy(const std::filesystem::path& path, const std::string& file,
                                const std::function<void(std::string& name, at::Tensor& tensor)>& change) {
  const StateDict original = StateDict::open(file);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (std::string name : original.names()) {
    at::Tensor tensor = original.tensor(name);
    change(name, tensor);
    if (!name.empty()) {
      tensors.emplace_back(name, tensor.contiguous());
    }
  }
  if (path.extension() == ".safetensors") {
    write_safetensors(path, tensors);
  } else {
    write_torch_state_dict(path, tensors);
  }
  return path.string();
}

/// A copy without the tensors whose names begin like that.
inline std::string copy_without(const std::filesystem::path& path, const std::string& file,
                                const std::string& start) {
  return changed_copy(path, file, [&start](std::string& name, at::Tensor&) {
    name = name.starts_with(start) ? std::string() : name;
  });
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
