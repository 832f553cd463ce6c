// Loads a DINO or DINOv2 image tower from a checkpoint of any layout.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "backbones/dinov2_names.hpp"
#include "backbones/lazy_tower.hpp"
#include "nn/vit.hpp"

namespace patchioner {

/// How a DINO or DINOv2 is to be loaded.
struct Dinov2LoadOptions {
  int64_t heads = 0;  ///< 0: from the configuration file, else D/64
  std::filesystem::path
      config;  ///< Hugging Face config.json; empty: the one beside the weights, if there is one
  std::string attention_type = "qkv";
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;
  std::string option_prefix = {};  ///< of the plugin's options `heads` and `config`, for messages ("proxy_")
};

/// The head count as options, the file's own settings or a configuration file say it, in this order.
std::optional<int64_t> known_heads(const Dinov2Checkpoint& checkpoint, const Dinov2LoadOptions& options);

/// The same, else width / 64; an Error of kind config when that is no whole number.
int64_t head_count(const Dinov2Checkpoint& checkpoint, const Dinov2LoadOptions& options);

/// Family, width, depth, registers, feed-forward kind and the rule for positions are read off the tensors
/// (spec/03 sections 1.1 and 2). DINOv2 refuses pixels that its patches do not divide, DINO leaves the rest
/// of them out. Throws Error: checkpoint for missing and mis-shaped tensors (all of them in one table),
/// config for a head count that does not divide the width. The tensors are read when the tower is first used.
LazyTower<VisionTransformer> load_dinov2(const Dinov2Checkpoint& checkpoint,
                                         const Dinov2LoadOptions& options);

}  // namespace patchioner
