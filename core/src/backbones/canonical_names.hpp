// The names under which checkpoints are written: OpenAI's for a CLIP, the official ones for DINO and DINOv2,
// in the order of the original files.
#pragma once

#include <string>
#include <vector>

#include "backbones/clip_names.hpp"
#include "backbones/dinov2_names.hpp"

namespace patchioner {

/// All canonical names that the checkpoint has a tensor for. A gap among its blocks throws an Error of kind
/// checkpoint.
std::vector<std::string> canonical_names(const ClipCheckpoint& checkpoint);
std::vector<std::string> canonical_names(const Dinov2Checkpoint& checkpoint);

}  // namespace patchioner
