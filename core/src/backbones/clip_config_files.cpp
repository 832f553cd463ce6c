#include "backbones/clip_config_files.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "backbones/head_count.hpp"
#include "backbones/stored_settings.hpp"
#include "image/pixel_norm.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kEpsilon = 1e-5;
// What transformers takes for "the position of the largest id" (spec/02 section 9).
constexpr int64_t kLargestId = 2;

int64_t size_of(const ClipCheckpoint& checkpoint, const char* name, size_t axis) {
  const auto shape = checkpoint.shape(name);
  return shape && axis < shape->size() ? (*shape)[axis] : 0;
}

template <class Setting>
Setting known(const ClipCheckpoint& checkpoint, const std::optional<Setting>& setting, const char* what) {
  if (!setting) {
    throw Error(
        ErrorKind::config,
        "{}: the {} cannot be read from the weights, and the configuration file to be written needs it; "
        "give the model's own configuration file",
        checkpoint.state_dict().description(), what);
  }
  return *setting;
}

std::string hugging_face_activation(Activation activation) {
  return activation == Activation::gelu_tanh ? "gelu_pytorch_tanh" : std::string(activation_name(activation));
}

Json image_section(const ClipCheckpoint& checkpoint, const ClipSettings& settings) {
  return {
      {"model_type", "clip_vision_model"},
      {"hidden_size", size_of(checkpoint, "visual.conv1.weight", 0)},
      {"intermediate_size", size_of(checkpoint, "visual.transformer.resblocks.0.mlp.c_fc.weight", 0)},
      {"num_hidden_layers", checkpoint.layers("visual.transformer.resblocks.")},
      {"num_attention_heads", known(checkpoint, settings.image_heads, "head count of the image tower")},
      {"num_channels", 3},
      {"image_size", settings.image_size.value_or(native_resolution(checkpoint))},
      {"patch_size", size_of(checkpoint, "visual.conv1.weight", 3)},
      {"hidden_act", hugging_face_activation(
                         known(checkpoint, settings.image_activation, "activation of the image tower"))},
      {"layer_norm_eps", settings.image_epsilon},
      {"projection_dim", size_of(checkpoint, "visual.proj", 1)},
  };
}

Json text_section(const ClipCheckpoint& checkpoint, const ClipSettings& settings) {
  return {
      {"model_type", "clip_text_model"},
      {"vocab_size", size_of(checkpoint, "token_embedding.weight", 0)},
      {"hidden_size", size_of(checkpoint, "ln_final.weight", 0)},
      {"intermediate_size", size_of(checkpoint, "transformer.resblocks.0.mlp.c_fc.weight", 0)},
      {"num_hidden_layers", checkpoint.layers("transformer.resblocks.")},
      {"num_attention_heads", known(checkpoint, settings.text_heads, "head count of the text tower")},
      {"max_position_embeddings", size_of(checkpoint, "positional_embedding", 0)},
      {"hidden_act",
       hugging_face_activation(known(checkpoint, settings.text_activation, "activation of the text tower"))},
      {"layer_norm_eps", settings.text_epsilon},
      {"eos_token_id", settings.end_id.value_or(kLargestId)},
      {"projection_dim", size_of(checkpoint, "text_projection", 1)},
  };
}

/// A section as the whole of a single tower's file.
Json alone(const char* architecture, Json section) {
  Json root = {{"architectures", {architecture}}};
  root.update(section);
  return root;
}

bool usual_pixels(const ClipSettings& settings) {
  return settings.mean.value_or(kClipNorm.mean) == kClipNorm.mean &&
         settings.std.value_or(kClipNorm.std) == kClipNorm.std;
}

}  // namespace

int64_t native_resolution(const ClipCheckpoint& checkpoint) {
  const double patches = static_cast<double>(size_of(checkpoint, "visual.positional_embedding", 0) - 1);
  return std::llround(std::sqrt(std::max(patches, 0.0))) * size_of(checkpoint, "visual.conv1.weight", 3);
}

bool openai_settings(const ClipCheckpoint& checkpoint, const ClipSettings& settings) {
  const bool image =
      !checkpoint.has_image_tower() ||
      (settings.image_activation == Activation::quick_gelu && settings.image_epsilon == kEpsilon &&
       settings.image_heads == size_of(checkpoint, "visual.class_embedding", 0) / kUsualHeadWidth &&
       usual_pixels(settings));
  const bool text =
      !checkpoint.has_text_tower() ||
      (settings.text_activation == Activation::quick_gelu && settings.text_epsilon == kEpsilon &&
       settings.text_heads == size_of(checkpoint, "ln_final.weight", 0) / kUsualHeadWidth &&
       !settings.end_id);
  return image && text;
}

std::string hugging_face_clip_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings) {
  constexpr int kIndent = 2;
  if (!checkpoint.has_text_tower()) {
    return alone("CLIPVisionModelWithProjection", image_section(checkpoint, settings)).dump(kIndent) + "\n";
  }
  if (!checkpoint.has_image_tower()) {
    return alone("CLIPTextModelWithProjection", text_section(checkpoint, settings)).dump(kIndent) + "\n";
  }
  const Json root = {
      {"architectures", {"CLIPModel"}},
      {"model_type", "clip"},
      {"projection_dim", size_of(checkpoint, "visual.proj", 1)},
      {"vision_config", image_section(checkpoint, settings)},
      {"text_config", text_section(checkpoint, settings)},
  };
  return root.dump(kIndent) + "\n";
}

std::string open_clip_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings) {
  const bool image = checkpoint.has_image_tower();
  const bool text = checkpoint.has_text_tower();
  const Activation activation =
      known(checkpoint, image ? settings.image_activation : settings.text_activation, "activation");
  if ((image && text && settings.text_activation != activation) || activation == Activation::gelu_tanh ||
      settings.image_epsilon != kEpsilon || settings.text_epsilon != kEpsilon || settings.end_id) {
    throw Error(
        ErrorKind::config,
        "{}: open_clip has no configuration for two activations, an epsilon other than {} or an end id "
        "of its own; write safetensors, which carry these settings themselves",
        checkpoint.state_dict().description(), kEpsilon);
  }
  Json model = {{"embed_dim", size_of(checkpoint, image ? "visual.proj" : "text_projection", 1)},
                {"quick_gelu", activation == Activation::quick_gelu}};
  if (image) {
    const int64_t width = size_of(checkpoint, "visual.conv1.weight", 0);
    const int64_t heads = known(checkpoint, settings.image_heads, "head count of the image tower");
    model["vision_cfg"] = {{"image_size", settings.image_size.value_or(native_resolution(checkpoint))},
                           {"layers", checkpoint.layers("visual.transformer.resblocks.")},
                           {"width", width},
                           {"head_width", width / std::max<int64_t>(heads, 1)},
                           {"patch_size", size_of(checkpoint, "visual.conv1.weight", 3)}};
  }
  if (text) {
    model["text_cfg"] = {{"context_length", size_of(checkpoint, "positional_embedding", 0)},
                         {"vocab_size", size_of(checkpoint, "token_embedding.weight", 0)},
                         {"width", size_of(checkpoint, "ln_final.weight", 0)},
                         {"heads", known(checkpoint, settings.text_heads, "head count of the text tower")},
                         {"layers", checkpoint.layers("transformer.resblocks.")}};
  }
  const Json root = {
      {"model_cfg", model},
      {"preprocess_cfg",
       {{"mean", settings.mean.value_or(kClipNorm.mean)}, {"std", settings.std.value_or(kClipNorm.std)}}}};
  constexpr int kIndent = 2;
  return root.dump(kIndent) + "\n";
}

}  // namespace patchioner
