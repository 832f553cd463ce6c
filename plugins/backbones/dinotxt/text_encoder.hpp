// DINO.txt's text encoder: CLIP's text tower under other names, with other settings (spec/03 section 6.2).
#pragma once

#include <patchioner/plugin.hpp>

#include "backbones/lazy_tower.hpp"
#include "checkpoint/state_dict.hpp"
#include "nn/clip_text.hpp"

namespace patchioner {

/// The encoder in `file`, which gives [N,2*D]: the class token's half, then the patches'. Sizes are read off
/// the tensors; `heads` 0: heads of 64. Throws Error: checkpoint when the file is no such encoder, and for
/// missing and mis-shaped tensors (all of them in one table), config when the head count cannot be guessed or
/// does not divide the width. The tensors are read when the encoder is first used.
LazyTower<ClipText> load_text_encoder(const StateDict& file, int64_t heads, const PluginContext& context);

}  // namespace patchioner
