// Names and shapes to families: one function for each kind of model.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
namespace {

using Family = CheckpointFamily;

/// A size in a tensor's shape, or 0.
int64_t size_of(const StateDict& file, const std::string& name, size_t axis) {
  const TensorInfo* info = file.info(name);
  return info != nullptr && axis < info->shape.size() ? info->shape[axis] : 0;
}

/// How many blocks there are: the first number for which there is no tensor `prefix`N`suffix`.
int64_t count_blocks(const StateDict& file, const std::string& prefix, const std::string& suffix) {
  int64_t count = 0;
  while (file.contains(prefix + std::to_string(count) + suffix)) {
    ++count;
  }
  return count;
}

/// "ViT-B/16", or what there is to say of an unusual one. Zero stands for what the file does not tell.
std::string vit_words(int64_t width, int64_t layers, int64_t patch) {
  struct Size {
    int64_t width;
    int64_t layers;
    std::string_view letter;
  };
  constexpr std::array<Size, 8> kSizes = {{{192, 12, "Ti"},
                                           {384, 12, "S"},
                                           {768, 12, "B"},
                                           {1024, 24, "L"},
                                           {1280, 32, "H"},
                                           {1408, 40, "g"},
                                           {1536, 40, "g"},
                                           {1664, 48, "bigG"}}};
  for (const Size& size : kSizes) {
    if (size.width == width && size.layers == layers && patch > 0) {
      return fmt::format("ViT-{}/{}", size.letter, patch);
    }
  }
  return fmt::format("{} block{} of width {}, patches of {}", layers, layers == 1 ? "" : "s", width, patch);
}

/// "ViT-L/14@336" where the position table is not that of 224 pixels.
std::string clip_vit_words(int64_t width, int64_t layers, int64_t patch, int64_t positions) {
  constexpr int64_t kUsualSide = 224;
  const std::string words = vit_words(width, layers, patch);
  const auto side =
      static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(positions - 1, 0)))));
  const bool named = words.starts_with("ViT");
  return named && side > 0 && side * patch != kUsualSide ? fmt::format("{}@{}", words, side * patch) : words;
}

/// The image tower under OpenAI's names after `prefix`.
std::string openai_vit_words(const StateDict& file, const std::string& prefix) {
  const std::string block = prefix + "transformer.resblocks.";
  return clip_vit_words(size_of(file, prefix + "conv1.weight", 0), count_blocks(file, block, ".ln_1.weight"),
                        size_of(file, prefix + "conv1.weight", 3),
                        size_of(file, prefix + "positional_embedding", 0));
}

/// "RN50x4" of CLIP's ResNet under the names after `prefix`.
std::string resnet_words(const StateDict& file, const std::string& prefix) {
  struct Size {
    int64_t width;
    std::array<int64_t, 4> blocks;
    std::string_view name;
  };
  constexpr std::array<Size, 5> kSizes = {{{64, {3, 4, 6, 3}, "RN50"},
                                           {64, {3, 4, 23, 3}, "RN101"},
                                           {80, {4, 6, 10, 6}, "RN50x4"},
                                           {96, {6, 8, 18, 8}, "RN50x16"},
                                           {128, {3, 15, 36, 10}, "RN50x64"}}};
  const int64_t width = size_of(file, prefix + "layer1.0.conv1.weight", 0);
  std::array<int64_t, 4> blocks{};
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i] = count_blocks(file, fmt::format("{}layer{}.", prefix, i + 1), ".conv1.weight");
  }
  for (const Size& size : kSizes) {
    if (size.width == width && size.blocks == blocks) {
      return std::string(size.name);
    }
  }
  return fmt::format("{}, {}, {} and {} blocks from width {}", blocks[0], blocks[1], blocks[2], blocks[3],
                     width);
}

using Found = std::optional<CheckpointIdentity>;

Found find_lora(const StateDict& file) {
  for (const std::string& name : file.names()) {
    for (const std::string_view part : {"lora_A", "lora_B", "lora_down", "lora_up"}) {
      if (name.find(part) != std::string::npos) {
        return CheckpointIdentity{Family::lora, "LoRA weights, which are differences to another model's"};
      }
    }
  }
  return std::nullopt;
}

Found find_alphaclip(const StateDict& file) {
  for (const std::string prefix : {"", "visual."}) {
    if (file.contains(prefix + "conv1_alpha.weight")) {
      return CheckpointIdentity{Family::alphaclip,
                                fmt::format("an AlphaCLIP image tower ({})", openai_vit_words(file, prefix))};
    }
  }
  return std::nullopt;
}

Found find_denseclip(const StateDict& file) {
  // A ViT behind this prefix is DenseCLIP's with or without texts; a ResNet without them may be RegionCLIP's.
  const bool vit = file.contains_prefix("backbone.transformer.resblocks.");
  if (!vit && (!file.contains_prefix("text_encoder.") || !file.contains_prefix("backbone."))) {
    return std::nullopt;
  }
  if (file.contains_prefix("backbone.layer1.")) {
    return CheckpointIdentity{Family::denseclip_resnet,
                              fmt::format("a DenseCLIP with a ResNet ({})", resnet_words(file, "backbone."))};
  }
  return CheckpointIdentity{Family::denseclip, fmt::format("a DenseCLIP with a vision transformer ({})",
                                                           openai_vit_words(file, "backbone."))};
}

Found find_regionclip(const StateDict& file) {
  if (!file.contains_prefix("backbone.attnpool.") && !file.contains_prefix("lang_encoder.")) {
    return std::nullopt;
  }
  return CheckpointIdentity{Family::regionclip,
                            fmt::format("a RegionCLIP ({})", resnet_words(file, "backbone."))};
}

Found find_hugging_face_clip(const StateDict& file) {
  const bool image = file.contains_prefix("vision_model.");
  const bool text = file.contains_prefix("text_model.");
  if (!image && !text) {
    return std::nullopt;
  }
  if (file.contains("logit_bias") || file.contains_prefix("vision_model.head.") ||
      (image && !file.contains("vision_model.embeddings.class_embedding"))) {
    return CheckpointIdentity{Family::clip_other, "a Hugging Face SigLIP or another relative of CLIP"};
  }
  if (!image) {
    return CheckpointIdentity{Family::clip, "a Hugging Face CLIP text tower"};
  }
  const std::string convolution = "vision_model.embeddings.patch_embedding.weight";
  const std::string size = clip_vit_words(
      size_of(file, convolution, 0),
      count_blocks(file, "vision_model.encoder.layers.", ".layer_norm1.weight"),
      size_of(file, convolution, 3), size_of(file, "vision_model.embeddings.position_embedding.weight", 0));
  return CheckpointIdentity{
      Family::clip,
      fmt::format("a Hugging Face CLIP {} ({})", text ? "with a vision transformer" : "image tower", size)};
}

/// Whose a checkpoint under OpenAI's names is, with its article.
std::string_view openai_names_owner(const StateDict& file) {
  if (file.format() == CheckpointFormat::torch_script || file.contains("input_resolution")) {
    return "an OpenAI CLIP";
  }
  return file.contains_prefix("text.") ? "an open_clip CLIP" : "an OpenAI or open_clip CLIP";
}

/// What keeps open_clip's other architectures from being CLIP's plain vision transformer.
std::optional<std::string_view> other_architecture(const StateDict& file) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOthers = {{
      {"visual.trunk.", "whose image tower is a timm model"},
      {"visual.attn_pool.", "whose image tower pools by attention"},
      {"visual.transformer.resblocks.0.ls_", "whose image tower scales its branches (ls_1, ls_2)"},
  }};
  for (const auto& [prefix, words] : kOthers) {
    if (file.contains_prefix(prefix)) {
      return words;
    }
  }
  if (file.contains("visual.conv1.weight") && !file.contains_prefix("visual.ln_pre.")) {
    return "whose image tower has no norm before the blocks (visual.ln_pre)";
  }
  return std::nullopt;
}

/// A text tower under OpenAI's names after `prefix`, also one that lost its embedding.
bool has_openai_text(const StateDict& file, const std::string& prefix) {
  return file.contains(prefix + "token_embedding.weight") ||
         (file.contains_prefix(prefix + "transformer.resblocks.") &&
          file.contains(prefix + "ln_final.weight"));
}

Found find_openai_clip(const StateDict& file) {
  const std::string owner(openai_names_owner(file));
  if (file.contains_prefix("visual.layer1.")) {
    return CheckpointIdentity{Family::clip_resnet,
                              fmt::format("{} with a ResNet ({})", owner, resnet_words(file, "visual."))};
  }
  if (const auto words = other_architecture(file)) {
    return CheckpointIdentity{Family::clip_other, fmt::format("{} {}", owner, *words)};
  }
  const bool text = has_openai_text(file, "") || has_openai_text(file, "text.");
  if (file.contains("visual.conv1.weight") || file.contains("visual.class_embedding")) {
    return CheckpointIdentity{
        Family::clip, fmt::format("{} {} ({})", owner, text ? "with a vision transformer" : "image tower",
                                  openai_vit_words(file, "visual."))};
  }
  if (text) {
    return CheckpointIdentity{Family::clip, owner + " text tower"};
  }
  return std::nullopt;
}

Found find_dinotxt(const StateDict& file) {
  if (file.contains("backbone.token_embedding.weight") &&
      (file.contains("head.linear_projection.weight") || file.contains_prefix("backbone.blocks."))) {
    return CheckpointIdentity{Family::dinotxt_text,
                              fmt::format("a DINO.txt text encoder (width {})",
                                          size_of(file, "backbone.token_embedding.weight", 1))};
  }
  if (file.contains_prefix("block_list.") && file.contains("ln_final.weight")) {
    return CheckpointIdentity{
        Family::dinotxt_head,
        fmt::format("a DINO.txt vision head ({} blocks of width {})",
                    count_blocks(file, "block_list.", ".norm1.weight"), size_of(file, "ln_final.weight", 0))};
  }
  return std::nullopt;
}

std::string with_registers(int64_t registers) {
  return registers > 0 ? fmt::format(" with {} registers", registers) : std::string();
}

Found identify_hugging_face_vit(const StateDict& file, const std::string& prefix) {
  const std::string convolution = prefix + "embeddings.patch_embeddings.projection.weight";
  const std::string blocks = prefix + "encoder.layer.";
  const bool plain = file.contains(blocks + "0.layernorm_before.weight");
  const std::string size =
      vit_words(size_of(file, convolution, 0),
                count_blocks(file, blocks, plain ? ".layernorm_before.weight" : ".norm1.weight"),
                size_of(file, convolution, 3));
  if (plain) {
    return CheckpointIdentity{Family::dino,
                              fmt::format("a Hugging Face vision transformer as of DINO (v1) ({})", size)};
  }
  return CheckpointIdentity{
      Family::dinov2, fmt::format("a Hugging Face DINOv2 ({}{})", size,
                                  with_registers(size_of(file, prefix + "embeddings.register_tokens", 1)))};
}

Found identify_official_vit(const StateDict& file, const std::string& prefix) {
  const std::string convolution = prefix + "patch_embed.proj.weight";
  const std::string blocks = prefix + "blocks.";
  if (file.contains(prefix + "storage_tokens") || file.contains_prefix(prefix + "rope_embed.")) {
    return CheckpointIdentity{Family::dinov3, "a DINOv3"};
  }
  int64_t layers = count_blocks(file, blocks, ".norm1.weight");
  bool chunked = false;  // blocks.<chunk>.<block>. of training checkpoints
  for (int64_t chunk = 0; layers == 0 || chunked; ++chunk) {
    const std::string inside = fmt::format("{}{}.", blocks, chunk);
    if (!file.contains_prefix(inside)) {
      break;
    }
    chunked = true;
    while (file.contains(fmt::format("{}{}.norm1.weight", inside, layers))) {
      ++layers;
    }
  }
  const std::string size = vit_words(size_of(file, convolution, 0), layers, size_of(file, convolution, 3));
  if (file.contains_prefix(prefix + "norm_pre.")) {
    return CheckpointIdentity{Family::clip, fmt::format("a timm CLIP image tower ({})", size)};
  }
  const bool timm_registers = file.contains(prefix + "reg_token");
  const int64_t registers = size_of(file, prefix + (timm_registers ? "reg_token" : "register_tokens"), 1);
  const std::string first = blocks + (chunked ? "0.0." : "0.");
  const bool mask = file.contains(prefix + "mask_token");
  if (registers > 0 || mask || file.contains(first + "ls1.gamma") || file.contains(first + "ls2.gamma")) {
    const bool timm = timm_registers || !mask;
    return CheckpointIdentity{Family::dinov2, fmt::format("{} DINOv2 ({}{})", timm ? "a timm" : "an official",
                                                          size, with_registers(registers))};
  }
  return CheckpointIdentity{Family::dino,
                            fmt::format("a DINO (v1) or another plain vision transformer ({})", size)};
}

Found find_vit(const StateDict& file) {
  for (const std::string_view front : kVitPrefixes) {
    const std::string prefix(front);
    if (file.contains(prefix + "embeddings.patch_embeddings.projection.weight")) {
      return identify_hugging_face_vit(file, prefix);
    }
    if (file.contains(prefix + "patch_embed.proj.weight") &&
        (file.contains(prefix + "cls_token") || file.contains_prefix(prefix + "blocks."))) {
      return identify_official_vit(file, prefix);
    }
  }
  return std::nullopt;
}

Found find_projection(const StateDict& file) {
  const TensorInfo* linear = file.info("linear_layer.weight");
  if (linear == nullptr || linear->shape.size() != 2) {
    return std::nullopt;
  }
  const int64_t hidden =
      file.contains("linear_layer2.weight") ? 1 : count_blocks(file, "hidden_layers.", ".weight");
  return CheckpointIdentity{
      Family::talk2dino, fmt::format("a Talk2DINO projection ({} to {}, {} hidden layer{})", linear->shape[1],
                                     linear->shape[0], hidden, hidden == 1 ? "" : "s")};
}

Found find_decoder(const StateDict& file) {
  const bool projected = file.contains_prefix("clip_project.");
  const auto size = [&file](const std::string& prefix) {
    return fmt::format("{} blocks of width {}", count_blocks(file, prefix + "h.", ".ln_1.weight"),
                       size_of(file, prefix + "wte.weight", 1));
  };
  if (projected && file.contains_prefix("decoder.transformer.")) {
    return CheckpointIdentity{Family::plain_decoder,
                              fmt::format("a DeCap decoder ({})", size("decoder.transformer."))};
  }
  if (file.contains_prefix("gpt.transformer.")) {
    if (projected) {
      return CheckpointIdentity{Family::clipcap_decoder,
                                fmt::format("a ClipCap-style decoder ({})", size("gpt.transformer."))};
    }
    if (file.contains_prefix("mapping_network.")) {
      return CheckpointIdentity{Family::viecap_decoder,
                                fmt::format("a ViECap-style decoder ({})", size("gpt.transformer."))};
    }
  }
  for (const std::string prefix : {"transformer.", ""}) {
    if (file.contains(prefix + "wte.weight") && file.contains(prefix + "h.0.attn.c_attn.weight")) {
      return CheckpointIdentity{Family::gpt2, fmt::format("a GPT-2 ({})", size(prefix))};
    }
  }
  return std::nullopt;
}

Found find_memory_bank(const StateDict& file) {
  const TensorInfo* embeddings = file.info("embeddings");
  if (embeddings == nullptr || embeddings->shape.size() != 2) {
    return std::nullopt;
  }
  return CheckpointIdentity{Family::memory_bank, fmt::format("a memory bank ({} rows of width {})",
                                                             embeddings->shape[0], embeddings->shape[1])};
}

}  // namespace

CheckpointIdentity identify(const StateDict& checkpoint) {
  // What only some files have stands before what they have in common with others.
  for (const auto find :
       {find_lora, find_alphaclip, find_denseclip, find_regionclip, find_hugging_face_clip, find_openai_clip,
        find_dinotxt, find_vit, find_projection, find_decoder, find_memory_bank}) {
    if (Found found = find(checkpoint)) {
      return *std::move(found);
    }
  }
  return {};
}

}  // namespace patchioner
