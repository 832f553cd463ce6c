// INViTE: CLIP's weights and steps, but the tokens of the last blocks look at themselves alone (spec/02
// section 3).
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <patchioner/plugin.hpp>

#include "backbones/clip_backbone.hpp"

namespace patchioner {
namespace {

/// What the backbone `invite` can be told (spec/02 section 15).
struct InviteOptions : ClipWeightsOptions, ImageOptions, TextOptions {
  int64_t mask_last_layers = 1;
  InviteOptions() { pos_resample = "bicubic"; }
};

void declare(ParameterList<InviteOptions>& list) {
  list.note("features", "as CLIP's, with each token attending to itself alone in the last block");
  list.note("space", "texts of the same CLIP: 512");
  list.note("input", "any, positions resampled; the paper: 224 and 592");
  list.note("files", "OpenAI's ViT-B-16.pt; whatever the backbone clip takes");
  list.note("source", "Chen et al. 2024, vit-interpret");
  declare_clip_weights_options(list);
  declare_image_options(list);
  list.add("mask_last_layers", &InviteOptions::mask_last_layers,
           "in this many last blocks of the image tower each token looks at itself alone; 0 or less: plain "
           "CLIP");
  declare_text_options(list);
}

ClipBackboneParts load(const InviteOptions& options, const PluginContext& context) {
  const at::NoGradGuard no_gradients;
  ClipLoadOptions load = clip_load_options(options, context);
  load.attention_type = options.attention_type;
  load.diagonal_last_layers = std::max<int64_t>(0, options.mask_last_layers);
  ClipBackboneParts parts = load_clip_parts("invite", options, load);
  if (parts.image && load.diagonal_last_layers > parts.image.config().layers) {
    throw Error(
        ErrorKind::config,
        "mask_last_layers is {}, but the image tower of {} has only {} blocks; set it to at most that",
        options.mask_last_layers, parts.image_weights.description(), parts.image.config().layers);
  }
  parts.image_advice = "INViTE needs a whole CLIP, such as OpenAI's ViT-B-16.pt, as `weights`";
  parts.text_advice = "texts need a whole CLIP, such as OpenAI's ViT-B-16.pt, as `weights`";
  return parts;
}

class Invite : public ClipBackbone {
 public:
  Invite(const InviteOptions& options, const PluginContext& context)
      : ClipBackbone(load(options, context), options, options, context.device) {}
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(backbone, invite, "1.0",
                  "INViTE: CLIP whose tokens look at themselves alone in the last blocks", patchioner::Invite,
                  patchioner::InviteOptions)
