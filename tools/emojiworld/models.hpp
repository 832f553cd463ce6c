// The networks of the emoji world: what they look like, and how they are built from parameters.
#pragma once

#include "nn/attention_pool.hpp"
#include "nn/clip_text.hpp"
#include "nn/modified_resnet.hpp"
#include "nn/vit.hpp"

namespace patchioner::emoji {

/// The image trunk: DINOv2 with registers, official key names.
VitConfig trunk_config();

/// CLIP: OpenAI key names.
VitConfig clip_image_config();
ClipTextConfig clip_text_config(int64_t vocabulary);

/// The proxy for ProxyCLIP: DINO, official key names, patches as CLIP's.
VitConfig dino_config();

/// DINO.txt: the blocks of the head over the trunk's tokens, and the text encoder, whose texts have two
/// halves of the trunk's width.
BlockConfig dinotxt_head_block();
ClipTextConfig dinotxt_text_config(int64_t vocabulary);

/// RegionCLIP: a narrow ResNet, in the space of CLIP's texts.
ResNetConfig regionclip_resnet();
AttentionPoolConfig regionclip_pool();

inline constexpr int64_t kWidth = 128;       ///< of the blocks of all towers
inline constexpr int kTrunkSide = 224;       ///< pixels
inline constexpr int kTrunkPatch = 14;       ///< pixels
inline constexpr int kClipSide = 112;        ///< pixels
inline constexpr int kClipPatch = 8;         ///< pixels
inline constexpr int64_t kClipContext = 40;  ///< ids
inline constexpr int64_t kClipDim = 128;     ///< D of CLIP's shared space
inline constexpr int64_t kDinotxtHeadLayers = 2;
inline constexpr int64_t kRegionGrid = 4;  ///< cells of RegionCLIP's map along a side
inline constexpr int kRegionSide = static_cast<int>(kRegionGrid * ResNetConfig::kStride);  ///< pixels

}  // namespace patchioner::emoji
