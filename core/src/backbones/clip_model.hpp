// Loads the towers of a CLIP from a checkpoint of any layout.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>

#include "backbones/clip_names.hpp"
#include "backbones/clip_settings.hpp"
#include "backbones/lazy_tower.hpp"
#include "nn/clip_text.hpp"
#include "nn/vit.hpp"

namespace patchioner {

/// How a CLIP is to be loaded.
struct ClipLoadOptions {
  std::string what = "a CLIP";  ///< for messages
  ClipChoices choices;
  bool image = true;                ///< load the image tower when the file has one
  bool text = true;                 ///< load the text tower when the file has one
  bool round_weights_fp16 = false;  ///< matrices pass through half precision first (spec/02, table row 12)
  PositionRule position_rule = PositionRule::bicubic_aa;
  std::string attention_type = "qkv";
  int64_t diagonal_last_layers = 0;
  int64_t channels = 3;  ///< of pixels; another number needs `change` to make the patch weight
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;
  /// What a plugin changes in the tensors before a tower is built from them: its source answers to canonical
  /// names. Unset: nothing.
  std::function<WeightSource(WeightSource)> change;
};

/// The towers that were asked for and that the file has; one that it lacks is nothing. Their tensors are read
/// when they are first used.
struct ClipModel {
  LazyTower<VisionTransformer> image;
  LazyTower<ClipText> text;
  ClipSettings settings;
};

/// Throws Error: checkpoint for missing and mis-shaped tensors (all of them in one table) and for a position
/// table of no square grid, config where the activation or the head count of a wanted tower cannot be found
/// out and for a head count that does not divide its width.
ClipModel load_clip(const ClipCheckpoint& checkpoint, const ClipLoadOptions& options);

/// The same with settings that the caller has found out; `options.choices` is not looked at.
ClipModel load_clip(const ClipCheckpoint& checkpoint, const ClipSettings& settings,
                    const ClipLoadOptions& options);

/// A text tower that a backbone takes from another file than its images'.
struct ClipTextTower {
  StateDict file;
  LazyTower<ClipText> tower;
};

/// The text tower of `file`, a CLIP of any layout that was named by an option of which `wanted` is the clause
/// for messages ("`text_weights` must be ..."). What the weights do not say comes from `load.choices` and
/// from the configuration file beside them; bare weights under OpenAI's names are taken for OpenAI's own.
/// Throws Error: checkpoint for what is no CLIP with a text tower, and what load_clip throws.
ClipTextTower load_text_tower(const StateDict& file, const std::string& wanted, ClipLoadOptions load);

}  // namespace patchioner
