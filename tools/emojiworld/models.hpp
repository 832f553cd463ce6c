// The networks of the emoji world: what they look like, and how they are built from parameters.
#pragma once

#include "nn/clip_text.hpp"
#include "nn/vit.hpp"

namespace patchioner::emoji {

/// The image trunk: DINOv2 with registers, official key names.
VitConfig trunk_config();

/// CLIP: OpenAI key names.
VitConfig clip_image_config();
ClipTextConfig clip_text_config(int64_t vocabulary);

inline constexpr int64_t kWidth = 128;       ///< of the blocks of all towers
inline constexpr int kTrunkSide = 224;       ///< pixels
inline constexpr int kTrunkPatch = 14;       ///< pixels
inline constexpr int kClipSide = 112;        ///< pixels
inline constexpr int kClipPatch = 8;         ///< pixels
inline constexpr int64_t kClipContext = 40;  ///< ids
inline constexpr int64_t kClipDim = 128;     ///< D of CLIP's shared space

}  // namespace patchioner::emoji
