#include "backbones/clip_model.hpp"

#include <patchioner/error.hpp>

#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
namespace {

/// The matrices and biases that OpenAI stores in half precision: products and convolutions, not LayerNorms or
/// embeddings.
bool stored_in_half(const std::string& name) {
  return name.find(".attn.") != std::string::npos || name.find(".mlp.") != std::string::npos ||
         name.ends_with("conv1.weight") || name.ends_with("conv1_alpha.weight") || name.ends_with("proj") ||
         name == "text_projection" || name.ends_with("proj_bias");
}

WeightSource rounded_to_half(WeightSource source) {
  return [source = std::move(source)](const std::string& name, const std::vector<int64_t>& shape) {
    const at::Tensor tensor = source(name, shape);
    return stored_in_half(name) ? tensor.to(at::kHalf).to(at::kFloat) : tensor;
  };
}

/// What the plugin calls one of its options of a CLIP: behind "clip_text_" text_heads is clip_text_heads.
std::string option_name(const ClipLoadOptions& options, std::string_view option) {
  constexpr std::string_view kText = "text_";
  const std::string& prefix = options.choices.option_prefix;
  const bool said = prefix.ends_with(kText) && option.starts_with(kText);
  return prefix + std::string(said ? option.substr(kText.size()) : option);
}

template <class Setting>
Setting known(const std::optional<Setting>& setting, const ClipCheckpoint& checkpoint,
              const ClipLoadOptions& options, const char* what, const char* option) {
  if (setting) {
    return *setting;
  }
  throw Error(
      ErrorKind::config,
      "{0}: the {1} cannot be read from the weights; give the model's configuration file as `{2}config` (or "
      "lay it beside the weights), or set `{3}`, or say `{2}format: openai` when OpenAI's own model is "
      "meant (QuickGELU, heads of 64)",
      checkpoint.state_dict().description(), what, options.choices.option_prefix,
      option_name(options, option));
}

/// A tower's head count as settings say it. Where nothing does, not even the activation, any source of
/// settings will do; where the activation is known it is the width that is unusual.
int64_t heads_of(const std::optional<int64_t>& setting, const std::optional<Activation>& activation,
                 const std::optional<int64_t>& width, const ClipCheckpoint& checkpoint,
                 const ClipLoadOptions& options, const char* what, const char* option) {
  const bool ask = !setting && width && (!activation || usual_head_count(width));
  return head_count_of(ask ? known(setting, checkpoint, options, what, option) : setting.value_or(0), width,
                       checkpoint.state_dict(), option_name(options, option));
}

int64_t size_of(const ClipCheckpoint& checkpoint, const std::string& name, size_t axis) {
  return size_at(checkpoint.shape(name), axis);
}

VitConfig image_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings,
                       const ClipLoadOptions& options) {
  VitConfig config;
  config.block.width = size_of(checkpoint, "visual.conv1.weight", 0);
  config.block.heads = heads_of(settings.image_heads, settings.image_activation,
                                find_size(checkpoint.shape("visual.conv1.weight"), 0), checkpoint, options,
                                "head count of the image tower", "heads");
  config.block.hidden = size_of(checkpoint, "visual.transformer.resblocks.0.mlp.c_fc.weight", 0);
  config.block.epsilon = config.final_epsilon = settings.image_epsilon;
  config.block.activation = known(settings.image_activation, checkpoint, options, "activation", "activation");
  config.channels = options.channels;
  config.layers = checkpoint.layers("visual.transformer.resblocks.");
  config.patch_size = size_of(checkpoint, "visual.conv1.weight", 3);
  config.position_rows = size_of(checkpoint, "visual.positional_embedding", 0);
  config.pre_norm = true;
  config.position_rule = options.position_rule;
  config.projection = size_of(checkpoint, "visual.proj", 1);
  config.projection_bias = checkpoint.contains("visual.proj_bias");
  config.diagonal_last_layers = options.diagonal_last_layers;
  config.attention_type = options.attention_type;
  return config;
}

ClipTextConfig text_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings,
                           const ClipLoadOptions& options) {
  ClipTextConfig config;
  config.block.width = size_of(checkpoint, "ln_final.weight", 0);
  config.block.heads = heads_of(settings.text_heads, settings.text_activation,
                                find_size(checkpoint.shape("ln_final.weight"), 0), checkpoint, options,
                                "head count of the text tower", "text_heads");
  config.block.hidden = size_of(checkpoint, "transformer.resblocks.0.mlp.c_fc.weight", 0);
  config.block.epsilon = settings.text_epsilon;
  config.block.activation = known(settings.text_activation, checkpoint, options, "activation", "activation");
  config.layers = checkpoint.layers("transformer.resblocks.");
  config.context = size_of(checkpoint, "positional_embedding", 0);
  config.vocabulary = size_of(checkpoint, "token_embedding.weight", 0);
  config.dim = size_of(checkpoint, "text_projection", 1);
  config.end_id = settings.end_id;
  return config;
}

}  // namespace

ClipModel load_clip(const ClipCheckpoint& checkpoint, const ClipLoadOptions& options) {
  return load_clip(checkpoint, find_clip_settings(checkpoint, options.choices), options);
}

ClipModel load_clip(const ClipCheckpoint& checkpoint, const ClipSettings& settings,
                    const ClipLoadOptions& options) {
  const bool image = options.image && checkpoint.has_image_tower();
  const bool text = options.text && checkpoint.has_text_tower();
  ClipModel model;
  model.settings = settings;
  TensorLoader loader(checkpoint.state_dict(), options.what);
  checkpoint.ignore_rest(loader, image, text);
  const WeightReader reader = [checkpoint, round = options.round_weights_fp16, change = options.change](
                                  TensorLoader& through, at::Device device) {
    WeightSource source = checkpoint.weights(through, device);
    source = round ? rounded_to_half(std::move(source)) : source;
    return change ? change(std::move(source)) : source;
  };
  const at::ScalarType precision = options.precision;
  if (image) {
    model.image = lazy_tower<VisionTransformer>(
        loader, reader, options.device,
        [config = image_config(checkpoint, model.settings, options), precision](const WeightSource& source) {
          return std::make_shared<VisionTransformer>(config, VitNames::openai(), source, precision);
        });
  }
  if (text) {
    model.text = lazy_tower<ClipText>(
        loader, reader, options.device,
        [config = text_config(checkpoint, model.settings, options), precision](const WeightSource& source) {
          return std::make_shared<ClipText>(config, source, precision);
        });
  }
  loader.finish();
  if (model.image) {
    position_grid(model.image.config().position_rows,
                  fmt::format("{}: {}", checkpoint.state_dict().description(),
                              checkpoint.recipe("visual.positional_embedding").parts.front()));
  }
  return model;
}

ClipTextTower load_text_tower(const StateDict& file, const std::string& wanted, ClipLoadOptions load) {
  require_family(file, {CheckpointFamily::clip}, wanted);
  const ClipCheckpoint checkpoint(file);
  if (!checkpoint.has_text_tower()) {
    throw Error(ErrorKind::checkpoint, "{} holds no text tower, but {}", file.description(), wanted);
  }
  if (load.choices.format == "auto" && checkpoint.layout() == ClipLayout::openai) {
    load.choices.format = "openai";
  }
  const ClipSettings settings = find_clip_settings(checkpoint, load.choices);
  if (!settings.text_activation) {
    throw Error(
        ErrorKind::config,
        "{}: the activation and the head count of the text tower cannot be read from the weights; lay "
        "the model's configuration file (config.json) beside them",
        file.description());
  }
  load.image = false;
  return {file, load_clip(checkpoint, settings, load).text};
}

}  // namespace patchioner
