#include "denseclip_towers.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "denseclip_config.hpp"

namespace patchioner {
namespace {

constexpr const char* kImagePrefix = "backbone.";
constexpr const char* kTextPrefix = "text_encoder.";
constexpr const char* kPublishedFile = "ViT-B-DenseCLIP.pth";

/// Recognises the file, and leaves of it what the towers are made of: the feature pyramid, the prompt decoder
/// and the heads play no role here.
StateDict towers_of(const StateDict& file) {
  const std::string wanted = fmt::format(
      "`weights` must be DenseCLIP's checkpoint with a vision transformer, such as {}", kPublishedFile);
  require_family(file, {CheckpointFamily::denseclip}, wanted);
  if (file.contains_prefix("backbone.layer1.")) {  // of an image tower alone, which no family claims
    throw Error(ErrorKind::checkpoint, "{}: the image tower is a ResNet (backbone.layer1), but {}",
                file.description(), wanted);
  }
  const bool image = file.contains("backbone.conv1.weight") || file.contains("backbone.class_embedding") ||
                     file.contains_prefix("backbone.transformer.resblocks.");
  const bool text = file.contains_prefix(kTextPrefix);
  if (!image && !text) {
    refuse_checkpoint(file, wanted);
  }
  return file.renamed([](const std::string& name) {
    const bool kept = (name.starts_with(kImagePrefix) && !name.starts_with("backbone.fpn")) ||
                      name.starts_with(kTextPrefix);
    return kept ? name : std::string();
  });
}

/// The head count that the option says, or that `config` does, or that goes with the width of a tensor.
int64_t heads_of(int64_t said, const std::optional<int64_t>& config, const ClipCheckpoint& checkpoint,
                 const char* tensor, const char* option) {
  return head_count_of(said > 0 ? said : config.value_or(0), find_size(checkpoint.shape(tensor), 0),
                       checkpoint.state_dict(), option);
}

/// Row 0 of the input is class embedding plus position, so that the embedding added twice is the same as a
/// doubled one added once.
WeightSource doubled_class_embedding(WeightSource source) {
  return [source = std::move(source)](const std::string& name, const std::vector<int64_t>& shape) {
    const at::Tensor tensor = source(name, shape);
    return name == "visual.class_embedding" ? tensor * 2 : tensor;
  };
}

/// OpenAI's text tower in place of the checkpoint's.
void take_text_tower(const DenseClipOptions& options, ClipLoadOptions load, ClipBackboneParts& parts) {
  load.what = "CLIP's text tower";
  load.choices.text_heads = options.text_heads;
  const ClipTextTower text =
      load_text_tower(StateDict::open(options.text_weights),
                      "`text_weights` must be a whole CLIP ViT-B/16, such as OpenAI's ViT-B-16.pt", load);
  parts.text_weights = text.file;
  parts.text = text.tower;
}

void warn_about_context(const DenseClipConfig& config, const ClipTextConfig& tower,
                        const std::string& weights) {
  if (config.context_length && *config.context_length > tower.context) {
    warn_once(fmt::format(
        "{} says model.text.context_length: {}, but {} has {} positions, and texts are cut to these; set "
        "`text_weights` to OpenAI's ViT-B-16.pt for longer ones",
        config.file, *config.context_length, weights, tower.context));
  }
}

std::string weights_path(const DenseClipOptions& options, const DenseClipConfig& config) {
  if (!options.weights.empty()) {
    return options.weights;
  }
  if (config.checkpoint.empty()) {
    throw Error(ErrorKind::config,
                "there is nothing to load: set `weights` to DenseCLIP's checkpoint (such as {}), or `config` "
                "to the YAML file that names it under checkpoint.path",
                kPublishedFile);
  }
  const std::filesystem::path path = resolve_weights(config.checkpoint);
  if (!std::filesystem::exists(path)) {
    throw Error(ErrorKind::io,
                "{}: checkpoint.path names {}, which is not there; set `weights` to DenseCLIP's checkpoint, "
                "such as {}",
                config.file, path.string(), kPublishedFile);
  }
  return path.string();
}

}  // namespace

LoadedDenseClip load_denseclip(DenseClipOptions options, const PluginContext& context) {
  const at::NoGradGuard no_gradients;
  const DenseClipConfig config =
      options.config.empty() ? DenseClipConfig{} : read_denseclip_config(options.config);
  ClipBackboneParts parts;
  parts.plugin = "denseclip";
  parts.image_weights = parts.text_weights = StateDict::open(weights_path(options, config));
  const ClipCheckpoint checkpoint(towers_of(parts.image_weights), {kImagePrefix, kTextPrefix});
  ClipLoadOptions load;
  load.what = "a DenseCLIP";
  load.position_rule = PositionRule::bilinear;
  load.attention_type = options.attention_type;
  load.device = context.device;
  load.precision = context.precision;
  if (!options.text_weights.empty()) {
    take_text_tower(options, load, parts);
  }
  ClipSettings settings;
  settings.image_activation = settings.text_activation = Activation::quick_gelu;
  settings.image_heads = heads_of(options.heads, std::nullopt, checkpoint, "visual.conv1.weight", "heads");
  load.text = options.text_weights.empty() && checkpoint.has_text_tower();
  if (load.text) {
    settings.text_heads =
        heads_of(options.text_heads, config.transformer_heads, checkpoint, "ln_final.weight", "text_heads");
  }
  if (options.class_embedding == "twice") {
    load.change = doubled_class_embedding;
  }
  const ClipModel model = load_clip(checkpoint, settings, load);
  const std::string description = parts.image_weights.description();
  parts.image = model.image;
  if (parts.image) {
    check_image_side(config, parts.image.config(), description);
  }
  if (load.text) {
    parts.text = model.text;
    check_text_side(config, parts.text.config(), description);
    warn_about_context(config, parts.text.config(), description);
  }
  parts.mean = config.mean;
  parts.std = config.std;
  parts.image_advice = fmt::format(
      "images need DenseCLIP's checkpoint with its tensors backbone.* ({}) as `weights`", kPublishedFile);
  parts.text_advice =
      "texts need a checkpoint with text_encoder.* as `weights`, or OpenAI's ViT-B-16.pt as `text_weights`";
  // Texts that keep their length are those of the backbone clip on the same file: what was made with one
  // serves the other.
  parts.text_digest = options.normalize_text ? "\nnormalize_text=true" : "\nround_weights_fp16=false";
  if (options.resolution == 0) {
    options.resolution = config.image_resolution.value_or(0);
  }
  return {std::move(options), std::move(parts)};
}

}  // namespace patchioner
