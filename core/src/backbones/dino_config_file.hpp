// The configuration file that transformers wants beside a DINO or DINOv2 (spec/03 section 1.5).
#pragma once

#include <cstdint>
#include <string>

#include "backbones/dinov2_names.hpp"

namespace patchioner {

/// config.json of a Dinov2Model, a Dinov2WithRegistersModel, or of a ViTModel for DINO.
std::string hugging_face_dino_config(const Dinov2Checkpoint& checkpoint, int64_t heads);

}  // namespace patchioner
