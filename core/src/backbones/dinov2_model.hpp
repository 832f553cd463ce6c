// Loads a DINOv2 (or DINO) image tower from a checkpoint of any layout.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>

#include "backbones/dinov2_names.hpp"
#include "backbones/lazy_tower.hpp"
#include "nn/vit.hpp"

namespace patchioner {

/// How a DINOv2 is to be loaded.
struct Dinov2LoadOptions {
  int64_t heads = 0;  ///< 0: from the configuration file, else D/64
  std::filesystem::path
      config;  ///< Hugging Face config.json; empty: the one beside the weights, if there is one
  std::string attention_type = "qkv";
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;
};

/// Width, depth, registers, feed-forward kind and the rule for positions are read off the tensors (spec/03
/// section 1.1). Throws Error: checkpoint for missing and mis-shaped tensors (all of them in one table),
/// config for a head count that does not divide the width. The tensors are read when the tower is first used.
LazyTower<VisionTransformer> load_dinov2(const Dinov2Checkpoint& checkpoint,
                                         const Dinov2LoadOptions& options);

}  // namespace patchioner
