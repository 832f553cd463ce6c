#include "backbones/canonical_names.hpp"

#include <fmt/format.h>

#include <array>

namespace patchioner {
namespace {

using Names = std::vector<std::string>;

void add_blocks(Names& names, std::string_view prefix, int64_t layers,
                std::initializer_list<std::string_view> inside) {
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (const std::string_view name : inside) {
      names.push_back(fmt::format("{}{}.{}", prefix, layer, name));
    }
  }
}

void add_clip_blocks(Names& names, const ClipCheckpoint& checkpoint, const std::string& prefix) {
  add_blocks(names, prefix, checkpoint.layers(prefix),
             {"attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias",
              "ln_1.weight", "ln_1.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight",
              "mlp.c_proj.bias", "ln_2.weight", "ln_2.bias"});
}

template <class Checkpoint>
Names present(Names names, const Checkpoint& checkpoint) {
  std::erase_if(names, [&checkpoint](const std::string& name) { return !checkpoint.contains(name); });
  return names;
}

}  // namespace

std::vector<std::string> canonical_names(const ClipCheckpoint& checkpoint) {
  Names names = {"positional_embedding",        "text_projection",      "visual.class_embedding",
                 "visual.positional_embedding", "visual.proj",          "visual.proj_bias",
                 "visual.conv1.weight",         "visual.ln_pre.weight", "visual.ln_pre.bias"};
  add_clip_blocks(names, checkpoint, "visual.transformer.resblocks.");
  names.insert(names.end(), {"visual.ln_post.weight", "visual.ln_post.bias"});
  add_clip_blocks(names, checkpoint, "transformer.resblocks.");
  names.insert(names.end(), {"token_embedding.weight", "ln_final.weight", "ln_final.bias"});
  return present(std::move(names), checkpoint);
}

std::vector<std::string> canonical_names(const Dinov2Checkpoint& checkpoint) {
  Names names = {"cls_token",
                 "pos_embed",
                 "register_tokens",
                 "mask_token",
                 "patch_embed.proj.weight",
                 "patch_embed.proj.bias"};
  add_blocks(
      names, "blocks.", checkpoint.layers(),
      {"norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.qkv.bias", "attn.proj.weight", "attn.proj.bias",
       "ls1.gamma", "norm2.weight", "norm2.bias", "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight",
       "mlp.fc2.bias", "mlp.w12.weight", "mlp.w12.bias", "mlp.w3.weight", "mlp.w3.bias", "ls2.gamma"});
  names.insert(names.end(), {"norm.weight", "norm.bias"});
  return present(std::move(names), checkpoint);
}

}  // namespace patchioner
