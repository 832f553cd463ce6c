// Which well-known model a checkpoint belongs to, told by the names and shapes of its tensors, never by the
// file's name (spec/02 sections 4, 6, 7 and 12, spec/03 sections 1, 2, 4 and 6).
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

enum class CheckpointFamily {
  unknown,
  clip,              ///< with a vision transformer: OpenAI, open_clip, Hugging Face, timm; or one tower of it
  clip_resnet,       ///< OpenAI's or open_clip's with a ResNet
  clip_other,        ///< CLIP's relatives of other architectures: SigLIP, CoCa, towers of timm
  dinov2,            ///< official, Hugging Face, timm
  dino,              ///< DINO (v1) and other vision transformers without LayerScale
  dinov3,            ///< named so that it is not taken for a DINOv2
  talk2dino,         ///< the projection alone
  denseclip,         ///< with a vision transformer
  denseclip_resnet,  ///< with a ResNet
  regionclip,        ///< detectron2's prefixes
  alphaclip,         ///< an image tower with conv1_alpha
  dinotxt_head,      ///< DINO.txt's vision head
  dinotxt_text,      ///< DINO.txt's text encoder
  plain_decoder,     ///< DeCap: GPT-2 behind clip_project
  clipcap_decoder,   ///< ClipCap and CapDec
  viecap_decoder,    ///< ViECap
  gpt2,              ///< a language model alone
  memory_bank,       ///< text embeddings
  lora,              ///< differences to another model's weights
};

/// "clip", "dinov2" ... : one word without spaces.
std::string_view to_string(CheckpointFamily family);

/// What a checkpoint is.
struct CheckpointIdentity {
  CheckpointFamily family = CheckpointFamily::unknown;
  std::string words;  ///< "an OpenAI CLIP with a vision transformer (ViT-B/16)"; empty when unknown
};

/// Looks at names, shapes and container; reads no tensor. Never throws.
CheckpointIdentity identify(const StateDict& checkpoint);

/// What trainers and classification models put in front of the names of DINO and DINOv2; "" is the first.
inline constexpr std::array<std::string_view, 7> kVitPrefixes = {
    "", "backbone.", "teacher.backbone.", "teacher.", "dinov2.", "dinov2_with_registers.", "vit."};

/// "the backbone clip reads it": where a checkpoint of this family goes; "no plugin here reads it" otherwise.
std::string advice(CheckpointFamily family);

/// The Error (kind checkpoint) of a file that is not what is wanted, in one sentence: what it is, what was
/// wanted - `wanted` is a clause, "talk2dino's `weights` must be a DINOv2" - and what reads it instead.
[[noreturn]] void refuse_checkpoint(const StateDict& checkpoint, std::string_view wanted);

/// Refuses a checkpoint of a known family that is none of `families`. An unknown one passes: what is missing
/// in it the loader reports name by name.
void require_family(const StateDict& checkpoint, std::initializer_list<CheckpointFamily> families,
                    std::string_view wanted);

}  // namespace patchioner
