// The files that the reference implementation fetches or makes by name, as users have them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchioner {

/// ${env:PATCHIONER_WEIGHTS,weights}/NAME
std::string weights_file(const std::string& name);

/// OpenAI's file of a CLIP model: "ViT-L/14@336px" is ViT-L-14-336px.pt (spec/02 section 12).
std::string clip_file(const std::string& name);

/// OpenAI's name of a timm model, "vit_base_patch16_clip_224.openai" being ViT-B/16; empty when it has none.
std::string openai_name(const std::string& timm_name);

/// The file of a model of the DINOv2 hub: "dinov2_vitb14_reg" is dinov2_vitb14_reg4_pretrain.pth (spec/03
/// section 1.1).
std::string dinov2_file(const std::string& name);

/// The data set's part of a memory bank's name: "coco" and everything Karpathy is "coco_captions" (spec/01
/// section 5.2).
std::string bank_source_name(const std::string& projection_type);

/// "dir/name.yaml" is "name"; only endings of configs and checkpoints are cut off.
std::string file_stem(std::string_view path);

/// The text with each of `characters` replaced.
std::string replaced(std::string text, std::string_view characters, char with);

}  // namespace patchioner
