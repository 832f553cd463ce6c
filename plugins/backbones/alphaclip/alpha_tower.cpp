#include "alpha_tower.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
namespace {

constexpr int64_t kChannels = 4;

/// The patch weight [W,4,p,p] of a tower: that of the colours, and that of the mask or zeros.
WeightSource with_mask_channel(WeightSource source, bool trained) {
  return [source = std::move(source), trained](const std::string& name, const std::vector<int64_t>& shape) {
    if (name != "visual.conv1.weight") {
      return source(name, shape);
    }
    const at::Tensor colours = source(name, {shape[0], kChannels - 1, shape[2], shape[3]});  // [W,3,p,p]
    const std::vector<int64_t> one = {shape[0], 1, shape[2], shape[3]};
    const at::Tensor mask =
        trained ? source("visual.conv1_alpha.weight", one) : at::zeros(one, colours.options());  // [W,1,p,p]
    return at::cat({colours, mask}, 1);                                                          // [W,4,p,p]
  };
}

ClipLoadOptions load_options(const AlphaClipOptions& options, const PluginContext& context, bool trained) {
  ClipLoadOptions load = clip_load_options(options, context);
  load.attention_type = options.attention_type;
  load.channels = kChannels;
  load.change = [trained](WeightSource source) { return with_mask_channel(std::move(source), trained); };
  return load;
}

/// OpenAI's CLIP, its image tower with a mask channel that has no effect. A bare state dict under OpenAI's
/// names is taken for OpenAI's own.
ClipBackboneParts load_base(const AlphaClipOptions& options, const PluginContext& context) {
  const StateDict file = StateDict::open(options.weights);
  if (identify(file).family == CheckpointFamily::alphaclip) {
    throw Error(ErrorKind::checkpoint,
                "{} is AlphaCLIP's image tower, which is `alpha_weights`; `weights` must be OpenAI's CLIP of "
                "the same size (ViT-B-16.pt ...), for the texts",
                file.description());
  }
  AlphaClipOptions base = options;
  if (base.format == "auto" && base.config.empty() &&
      (file.contains("visual.conv1.weight") || file.contains("token_embedding.weight"))) {
    base.format = "openai";
  }
  ClipBackboneParts parts = load_clip_parts("alphaclip", base, load_options(base, context, false));
  parts.image_advice =
      "with alpha_weights: none the image tower comes from there, so that it must be a whole CLIP";
  parts.text_advice = "texts need OpenAI's whole CLIP as `weights`";
  return parts;
}

/// AlphaCLIP's file as a CLIP's image tower; that may also stand in a whole CLIP, behind "visual.".
ClipCheckpoint open_alpha(const std::string& path) {
  constexpr std::string_view kWanted =
      "`alpha_weights` must be AlphaCLIP's image tower, a state dict with conv1_alpha.weight "
      "(clip_b16_grit1m_fultune_8xe.pth ...), or none";
  const StateDict file = StateDict::open(path);
  require_family(file, {CheckpointFamily::alphaclip}, kWanted);
  ClipPrefixes prefixes;
  prefixes.image = file.contains_prefix("visual.conv1_alpha.") ? "visual." : "";
  prefixes.text = "text.";  // there is none, or it is not wanted
  prefixes.in_proj = ".in_proj.";
  if (!file.contains_prefix(prefixes.image + "conv1_alpha.")) {
    refuse_checkpoint(file, kWanted);
  }
  return {file, prefixes};
}

/// Heads, activation and epsilon, which the file does not hold, are those of the CLIP that it began as.
ClipSettings settings_of(const ClipCheckpoint& alpha, const AlphaClipOptions& options,
                         const ClipBackboneParts& base) {
  ClipSettings settings;
  if (base.image) {
    const BlockConfig& block = base.image.config().block;
    settings.image_heads = block.heads;
    settings.image_activation = block.activation;
    settings.image_epsilon = block.epsilon;
    return settings;
  }
  settings.image_heads = head_count_of(options.heads, find_size(alpha.shape("visual.conv1.weight"), 0),
                                       alpha.state_dict(), "heads");
  settings.image_activation =
      options.activation == "auto" ? Activation::quick_gelu : activation_from(options.activation);
  return settings;
}

/// The published files hold weights that began as those of the base, so that all sizes agree.
void check_same_model(const ClipBackboneParts& base, const VitConfig& alpha, const StateDict& alpha_file) {
  const VitConfig& image = base.image.config();
  const auto words = [](const VitConfig& config) {
    return fmt::format("{} blocks of width {}, patches of {}, {} positions", config.layers,
                       config.block.width, config.patch_size, config.position_rows);
  };
  if (words(image) != words(alpha)) {
    throw Error(ErrorKind::config,
                "the image tower of {} has {}, that of {} has {}; they belong to different models, so give "
                "as `weights` the CLIP that `alpha_weights` was trained from",
                base.text_weights.description(), words(image), alpha_file.description(), words(alpha));
  }
}

}  // namespace

ClipBackboneParts load_alphaclip(const AlphaClipOptions& options, const PluginContext& context) {
  const at::NoGradGuard no_gradients;
  if (options.alpha_weights.empty()) {
    throw Error(ErrorKind::config,
                "the image tower is missing: set `alpha_weights` to AlphaCLIP's file for this size "
                "(clip_b16_grit1m_fultune_8xe.pth, clip_l14_grit1m_fultune_8xe.pth ...), or to none for the "
                "CLIP of `weights` without it, whose masks have no effect");
  }
  ClipBackboneParts parts = load_base(options, context);
  if (options.alpha_weights == "none") {
    return parts;
  }
  const ClipCheckpoint alpha = open_alpha(options.alpha_weights);
  ClipLoadOptions load = load_options(options, context, true);
  load.what = "AlphaCLIP's image tower";
  load.text = false;
  const ClipModel model = load_clip(alpha, settings_of(alpha, options, parts), load);
  if (parts.image) {
    check_same_model(parts, model.image.config(), alpha.state_dict());
  }
  parts.image = model.image;
  parts.image_weights = alpha.state_dict();
  return parts;
}

}  // namespace patchioner
