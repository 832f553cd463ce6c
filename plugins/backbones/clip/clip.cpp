// CLIP with a vision transformer: every token through the final norm and the projection (spec/02 section 2).
#include <ATen/core/grad_mode.h>

#include <patchioner/plugin.hpp>

#include "backbones/clip_backbone.hpp"

namespace patchioner {
namespace {

/// What the backbone `clip` can be told (spec/02 section 15).
struct ClipOptions : ClipWeightsOptions, ImageOptions, TextOptions {
  bool ln_post = true;
};

void declare(ParameterList<ClipOptions>& list) {
  list.note("features",
            "the last block's tokens through the final norm and the projection, as CLIP's own class token");
  list.note("space", "texts of the same CLIP: 512 (B/32, B/16) or 768 (L/14)");
  list.note("input", "any, positions resampled; the paper: 224 (B/32, B/16) and 592 (B/16)");
  list.note("files",
            "OpenAI's ViT-B-32.pt, ViT-B-16.pt, ViT-L-14.pt, ViT-L-14-336px.pt; open_clip, Hugging Face and "
            "timm checkpoints");
  list.note("source", "Radford et al. 2021, github.com/openai/CLIP");
  declare_clip_weights_options(list);
  declare_image_options(list);
  list.add("ln_post", &ClipOptions::ln_post,
           "apply the final norm before the projection; false repeats the reference's OpenCLIP tokens");
  declare_text_options(list);
}

ClipBackboneParts load(const ClipOptions& options, const PluginContext& context) {
  const at::NoGradGuard no_gradients;
  ClipLoadOptions load = clip_load_options(options, context);
  load.attention_type = options.attention_type;
  ClipBackboneParts parts = load_clip_parts("clip", options, load);
  parts.final_norm = options.ln_post;
  return parts;
}

class Clip : public ClipBackbone {
 public:
  Clip(const ClipOptions& options, const PluginContext& context)
      : ClipBackbone(load(options, context), options, options, context.device) {}
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(backbone, clip, "1.0",
                  "CLIP with a vision transformer: OpenAI, open_clip, Hugging Face and timm checkpoints",
                  patchioner::Clip, patchioner::ClipOptions)
