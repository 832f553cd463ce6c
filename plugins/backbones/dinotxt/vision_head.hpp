// DINO.txt's vision head: transformer blocks over all of DINOv2's tokens, and a final norm (spec/03
// section 6.1).
#pragma once

#include <ATen/ATen.h>

#include <patchioner/plugin.hpp>
#include <vector>

#include "backbones/lazy_tower.hpp"
#include "checkpoint/state_dict.hpp"
#include "nn/transformer.hpp"

namespace patchioner {

/// What a vision head looks like.
struct VisionHeadConfig {
  BlockConfig block;
  int64_t layers = 0;
};

class VisionHead {
 public:
  /// Names are the published file's, but for the gate and value of the feed-forward part, which are asked for
  /// as one tensor "mlp.w12".
  VisionHead(const VisionHeadConfig& config, const WeightSource& source, at::ScalarType precision);

  /// [B,T,D] tokens after DINOv2's final norm -> [B,T,D] float32; `tokens` are not changed.
  at::Tensor forward(const at::Tensor& tokens) const;

  const VisionHeadConfig& config() const { return config_; }

 private:
  at::Tensor forward_together(at::Tensor tokens) const;
  VisionHeadConfig config_;
  std::vector<TransformerBlock> blocks_;
  LayerNorm final_norm_;
};

/// The head in `file`; width, hidden width and the number of blocks, at least two, are read off the tensors.
/// Throws Error: checkpoint when the file is no vision head, and for missing and mis-shaped tensors (all of
/// them in one table), config for a head count that does not divide the width. The tensors are read when the
/// head is first used.
LazyTower<VisionHead> load_vision_head(const StateDict& file, int64_t heads, const PluginContext& context);

}  // namespace patchioner
