// The files that DINO.txt is published as, for messages about missing halves (spec/03 section 6).
#pragma once

namespace patchioner {

inline constexpr const char* kBackboneFile = "dinov2_vitl14_reg4_pretrain.pth";
inline constexpr const char* kVisionHeadFile = "dinov2_vitl14_reg4_dinotxt_tet1280d20h24l_vision_head.pth";
inline constexpr const char* kTextEncoderFile = "dinov2_vitl14_reg4_dinotxt_tet1280d20h24l_text_encoder.pth";

}  // namespace patchioner
