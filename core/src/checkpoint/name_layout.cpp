#include "checkpoint/name_layout.hpp"

#include <string_view>

namespace patchioner {
namespace {

/// A layout is recognised when for each of the texts some name begins with it. The first that fits wins:
/// special ones stand first.
struct Layout {
  std::string_view words;
  std::vector<std::string_view> starts;
};

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> list = {
      {"AlphaCLIP", {"conv1_alpha.weight"}},
      {"AlphaCLIP", {"visual.conv1_alpha.weight"}},
      {"DenseCLIP", {"backbone.conv1.weight", "text_encoder."}},
      {"RegionCLIP", {"backbone.attnpool.", "lang_encoder."}},
      {"a Hugging Face SigLIP or CLIP model", {"vision_model.", "text_model.", "logit_bias"}},
      {"a Hugging Face CLIP model", {"vision_model.", "text_model."}},
      {"a Hugging Face CLIP image tower", {"vision_model."}},
      {"a Hugging Face CLIP text tower", {"text_model."}},
      {"a timm image tower of open_clip", {"visual.trunk."}},
      {"an open_clip model with a custom text tower", {"visual.conv1.weight", "text.transformer."}},
      {"an OpenAI or open_clip ResNet CLIP", {"visual.layer1.", "visual.attnpool."}},
      {"an OpenAI or open_clip CLIP", {"visual.conv1.weight", "transformer.resblocks."}},
      {"an OpenAI or open_clip CLIP image tower", {"visual.conv1.weight"}},
      {"a timm CLIP image tower", {"patch_embed.proj.weight", "norm_pre.weight"}},
      {"Hugging Face DINOv2 weights", {"embeddings.patch_embeddings.projection.weight", "encoder.layer."}},
      {"official DINOv2 weights", {"patch_embed.proj.weight", "mask_token", "blocks."}},
      {"timm or DINO ViT weights", {"patch_embed.proj.weight", "blocks."}},
      {"a Talk2DINO projection", {"linear_layer.weight"}},
      {"a DeCap decoder", {"decoder.transformer.h.", "clip_project."}},
      {"a ClipCap-style decoder", {"gpt.transformer.h.", "clip_project."}},
      {"a ViECap-style decoder", {"gpt.transformer.h.", "mapping_network."}},
      {"GPT-2 weights", {"transformer.h.0."}},
      {"GPT-2 weights", {"h.0.attn.c_attn.weight", "wte.weight"}},
      {"a text memory bank", {"embeddings"}},
  };
  return list;
}

}  // namespace

std::string guess_layout(const std::vector<std::string>& names) {
  for (const Layout& layout : layouts()) {
    bool fits = true;
    for (const std::string_view start : layout.starts) {
      bool found = false;
      for (const std::string& name : names) {
        found = found || name.starts_with(start);
      }
      fits = fits && found;
    }
    if (fits) {
      return std::string(layout.words);
    }
  }
  return {};
}

}  // namespace patchioner
