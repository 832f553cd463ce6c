#include "backbones/clip_names.hpp"

#include <patchioner/error.hpp>
#include <utility>

#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kImage = "visual.";
constexpr std::string_view kImageBlocks = "visual.transformer.resblocks.";
constexpr std::string_view kTextBlocks = "transformer.resblocks.";
constexpr std::string_view kWanted = "a CLIP with a vision transformer is wanted here";

}  // namespace

std::string_view to_string(ClipLayout layout) {
  switch (layout) {
    case ClipLayout::openai:
      return "OpenAI / open_clip";
    case ClipLayout::hugging_face:
      return "Hugging Face";
    case ClipLayout::timm:
      return "timm";
  }
  return "unknown";
}

ClipCheckpoint::ClipCheckpoint(StateDict state_dict) : state_dict_(std::move(state_dict)) {
  // A CLIP with an alpha convolution keeps its other names; the plugin that wants none refuses it.
  require_family(state_dict_, {CheckpointFamily::clip, CheckpointFamily::alphaclip}, kWanted);
  if (state_dict_.contains_prefix("text.transformer.resblocks.")) {
    prefixes_.text = "text.";
  }
  if (has_image_tower() || has_text_tower()) {  // by OpenAI's names
    layout_ = ClipLayout::openai;
  } else if (state_dict_.contains_prefix("vision_model.") || state_dict_.contains_prefix("text_model.")) {
    layout_ = ClipLayout::hugging_face;
  } else if (state_dict_.contains("patch_embed.proj.weight") && state_dict_.contains_prefix("norm_pre.")) {
    layout_ = ClipLayout::timm;
  } else {
    refuse_checkpoint(state_dict_, kWanted);
  }
}

ClipCheckpoint::ClipCheckpoint(StateDict state_dict, ClipPrefixes prefixes)
    : state_dict_(std::move(state_dict)), prefixes_(std::move(prefixes)) {}

bool ClipCheckpoint::has_image_tower() const {
  const std::string blocks = stored_blocks(std::string(kImageBlocks));
  return contains("visual.conv1.weight") || contains("visual.class_embedding") ||
         (!blocks.empty() && state_dict_.contains_prefix(blocks));
}

bool ClipCheckpoint::has_text_tower() const {
  const std::string blocks = stored_blocks(std::string(kTextBlocks));
  return contains("token_embedding.weight") || contains("ln_final.weight") ||
         (!blocks.empty() && state_dict_.contains_prefix(blocks));
}

bool ClipCheckpoint::from_openai() const {
  return layout_ == ClipLayout::openai &&
         (state_dict_.format() == CheckpointFormat::torch_script || state_dict_.contains("input_resolution"));
}

TensorRecipe ClipCheckpoint::recipe(const std::string& name) const {
  switch (layout_) {
    case ClipLayout::hugging_face:
      return hugging_face_recipe(name);
    case ClipLayout::timm:
      return timm_recipe(name);
    case ClipLayout::openai:
      break;
  }
  std::string stored =
      name.starts_with(kImage) ? prefixes_.image + name.substr(kImage.size()) : prefixes_.text + name;
  constexpr std::string_view kInProj = ".in_proj_";
  if (const size_t start = stored.find(kInProj); start != std::string::npos) {
    stored.replace(start, kInProj.size(), prefixes_.in_proj);
  }
  return {{stored}};
}

TensorRecipe ClipCheckpoint::hugging_face_recipe(const std::string& name) {
  static const NamePairs outside = {
      {"visual.class_embedding", "vision_model.embeddings.class_embedding"},
      {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
      {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
      {"visual.ln_pre.", "vision_model.pre_layrnorm."},  // spelt so in the files
      {"visual.ln_post.", "vision_model.post_layernorm."},
      {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
      {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
      {"ln_final.", "text_model.final_layer_norm."},
  };
  static const NamePairs inside = {
      {"ln_1.", "layer_norm1."}, {"ln_2.", "layer_norm2."},   {"attn.out_proj.", "self_attn.out_proj."},
      {"mlp.c_fc.", "mlp.fc1."}, {"mlp.c_proj.", "mlp.fc2."},
  };
  if (name == "visual.proj") {
    return {{"visual_projection.weight"}, true};
  }
  if (name == "text_projection") {
    return {{"text_projection.weight"}, true};
  }
  const bool image = name.starts_with(kImageBlocks);
  if (const auto found = split_block(name, image ? kImageBlocks : kTextBlocks)) {
    const std::string block = (image ? "vision_model.encoder.layers." : "text_model.encoder.layers.") +
                              std::to_string(found->index) + ".";
    const std::string& rest = found->rest;
    for (const std::string_view kind : {"weight", "bias"}) {
      if (rest == "attn.in_proj_" + std::string(kind)) {
        const std::string attention = block + "self_attn.";
        const std::string end = "_proj." + std::string(kind);
        return {{attention + "q" + end, attention + "k" + end, attention + "v" + end}};
      }
    }
    const auto translated = replaced_start(rest, inside);
    return translated ? TensorRecipe{{block + *translated}} : TensorRecipe{};
  }
  const auto translated = replaced_start(name, outside);
  return translated ? TensorRecipe{{*translated}} : TensorRecipe{};
}

TensorRecipe ClipCheckpoint::timm_recipe(const std::string& name) const {
  static const NamePairs outside = {
      {"visual.conv1.weight", "patch_embed.proj.weight"},
      {"visual.ln_pre.", "norm_pre."},
      {"visual.ln_post.", "norm."},
  };
  static const NamePairs inside = {
      {"ln_1.", "norm1."},
      {"ln_2.", "norm2."},
      {"attn.in_proj_", "attn.qkv."},
      {"attn.out_proj.", "attn.proj."},
      {"mlp.c_fc.", "mlp.fc1."},
      {"mlp.c_proj.", "mlp.fc2."},
  };
  if (name == "visual.class_embedding") {
    return {{"cls_token"}, false, 2};
  }
  if (name == "visual.positional_embedding") {
    return {{"pos_embed"}, false, 1};
  }
  if (name == "visual.proj") {
    return {{"head.weight"}, true};
  }
  if (name == "visual.proj_bias") {
    return {{"head.bias"}};
  }
  if (const auto block = split_block(name, kImageBlocks)) {
    const auto translated = replaced_start(block->rest, inside);
    return translated ? TensorRecipe{{fmt::format("blocks.{}.{}", block->index, *translated)}}
                      : TensorRecipe{};
  }
  const auto translated = replaced_start(name, outside);
  return translated ? TensorRecipe{{*translated}} : TensorRecipe{};
}

std::optional<std::vector<int64_t>> ClipCheckpoint::shape(const std::string& name) const {
  return shape_of(recipe(name), state_dict_);
}

/// What stands before the number of a block in this layout; empty when the layout has no such blocks.
std::string ClipCheckpoint::stored_blocks(const std::string& prefix) const {
  const TensorRecipe first = recipe(prefix + "0.ln_1.weight");
  return first.parts.empty() ? std::string()
                             : first.parts.front().substr(0, first.parts.front().rfind(".0.") + 1);
}

int64_t ClipCheckpoint::layers(const std::string& prefix) const {
  const std::string stored = stored_blocks(prefix);
  return stored.empty() ? 0 : block_count(state_dict_, stored);
}

WeightSource ClipCheckpoint::weights(TensorLoader& loader, at::Device device) const {
  const WeightSource source = weights_from(loader, device);
  return [checkpoint = *this, source](const std::string& name, const std::vector<int64_t>& shape) {
    const TensorRecipe made = checkpoint.recipe(name);
    if (made.parts.empty()) {
      throw Error(ErrorKind::internal, "CLIP files of the layout {} have no counterpart of '{}'",
                  to_string(checkpoint.layout_), name);
    }
    return tensor_of(made, shape, source);
  };
}

void ClipCheckpoint::ignore_rest(TensorLoader& loader, bool image, bool text) const {
  for (const char* name :
       {"logit_scale", "logit_bias", "input_resolution", "context_length", "vocab_size", "attn_mask",
        "vision_model.embeddings.position_ids", "text_model.embeddings.position_ids"}) {
    loader.ignore(name);
  }
  if (!image) {
    loader.ignore_prefix(prefixes_.image);
    for (const char* prefix : {"visual.", "vision_model.", "visual_projection."}) {
      loader.ignore_prefix(prefix);
    }
  }
  if (!text) {
    if (!prefixes_.text.empty()) {
      loader.ignore_prefix(prefixes_.text);
    }
    for (const char* prefix : {"transformer.", "token_embedding.", "positional_embedding", "ln_final.",
                               "text_projection", "text_model.", "text."}) {
      loader.ignore_prefix(prefix);
    }
  }
}

}  // namespace patchioner
