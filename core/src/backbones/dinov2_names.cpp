#include "backbones/dinov2_names.hpp"

#include <array>
#include <cmath>
#include <patchioner/error.hpp>
#include <utility>

#include "nn/position_table.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kBlocks = "blocks.";
constexpr std::string_view kHuggingFaceBlocks = "encoder.layer.";
constexpr std::string_view kWanted = "a DINOv2 (official, Hugging Face or timm) is wanted here";

/// The backbone without what trainers and classification models put in front of its names.
StateDict backbone_part(const StateDict& whole) {
  require_family(whole, {CheckpointFamily::dinov2, CheckpointFamily::dino}, kWanted);
  for (const std::string_view prefix : kVitPrefixes) {
    const std::string start(prefix);
    if (whole.contains(start + "cls_token") || whole.contains(start + "embeddings.cls_token")) {
      return prefix.empty() ? whole : whole.with_prefix(prefix);
    }
  }
  refuse_checkpoint(whole, kWanted);
}

bool is_square(int64_t count) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(count))));
  return count > 1 && side * side == count;
}

}  // namespace

std::string_view to_string(Dinov2Layout layout) {
  switch (layout) {
    case Dinov2Layout::official:
      return "official";
    case Dinov2Layout::hugging_face:
      return "Hugging Face";
    case Dinov2Layout::timm:
      return "timm";
  }
  return "unknown";
}

Dinov2Checkpoint::Dinov2Checkpoint(StateDict state_dict) : state_dict_(backbone_part(state_dict)) {
  if (state_dict_.contains("embeddings.cls_token")) {
    layout_ = Dinov2Layout::hugging_face;
    hugging_face_vit_ = state_dict_.contains(fmt::format("{}0.layernorm_before.weight", kHuggingFaceBlocks));
    return;
  }
  const TensorInfo* positions = state_dict_.info("pos_embed");
  positions_without_class_ =
      positions != nullptr && positions->shape.size() == 3 && is_square(positions->shape[1]);
  const TensorInfo* fc1 = state_dict_.info("blocks.0.mlp.fc1.weight");
  const TensorInfo* fc2 = state_dict_.info("blocks.0.mlp.fc2.weight");
  timm_swiglu_ = fc1 != nullptr && fc2 != nullptr && fc1->shape.size() == 2 && fc2->shape.size() == 2 &&
                 fc1->shape[0] == 2 * fc2->shape[1];
  if (state_dict_.contains("reg_token") || positions_without_class_ || timm_swiglu_) {
    layout_ = Dinov2Layout::timm;
  }
  find_chunks();
}

CheckpointFamily Dinov2Checkpoint::family() const {
  if (contains("register_tokens") || state_dict_.contains("mask_token") ||
      state_dict_.contains("embeddings.mask_token")) {
    return CheckpointFamily::dinov2;
  }
  const int64_t count = layers();
  for (int64_t layer = 0; layer < count; ++layer) {
    const std::string block = fmt::format("{}{}.", kBlocks, layer);
    if (contains(block + "ls1.gamma") || contains(block + "ls2.gamma")) {
      return CheckpointFamily::dinov2;
    }
  }
  return CheckpointFamily::dino;
}

void Dinov2Checkpoint::find_chunks() {
  for (const std::string& name : state_dict_.names()) {
    const auto chunk = split_block(name, kBlocks);
    const auto block = chunk ? split_block(chunk->rest, "") : std::nullopt;
    if (block) {
      chunk_of_block_[block->index] = fmt::format("{}.{}.", chunk->index, block->index);
    }
  }
}

TensorRecipe Dinov2Checkpoint::recipe(const std::string& name) const {
  if (layout_ == Dinov2Layout::hugging_face) {
    return hugging_face_recipe(name, hugging_face_vit_);
  }
  if (layout_ == Dinov2Layout::timm) {
    return timm_recipe(name);
  }
  if (const auto block = split_block(name, kBlocks)) {
    if (const auto chunk = chunk_of_block_.find(block->index); chunk != chunk_of_block_.end()) {
      return {{std::string(kBlocks) + chunk->second + block->rest}};
    }
  }
  return {{name}};
}

TensorRecipe Dinov2Checkpoint::hugging_face_recipe(const std::string& name, bool plain_vit) {
  static const NamePairs outside = {
      {"cls_token", "embeddings.cls_token"},
      {"mask_token", "embeddings.mask_token"},
      {"register_tokens", "embeddings.register_tokens"},
      {"pos_embed", "embeddings.position_embeddings"},
      {"patch_embed.proj.", "embeddings.patch_embeddings.projection."},
      {"norm.", "layernorm."},
  };
  static const NamePairs inside = {
      {"attn.proj.", "attention.output.dense."}, {"ls1.gamma", "layer_scale1.lambda1"},
      {"ls2.gamma", "layer_scale2.lambda1"},     {"mlp.w12.", "mlp.weights_in."},
      {"mlp.w3.", "mlp.weights_out."},
  };
  static const NamePairs inside_vit = {
      {"norm1.", "layernorm_before."},
      {"norm2.", "layernorm_after."},
      {"attn.proj.", "attention.output.dense."},
      {"mlp.fc1.", "intermediate.dense."},
      {"mlp.fc2.", "output.dense."},
  };
  const auto found = split_block(name, kBlocks);
  if (!found) {
    return {{replaced_start(name, outside).value_or(name)}};
  }
  const std::string block = fmt::format("{}{}.", kHuggingFaceBlocks, found->index);
  constexpr std::string_view kPacked = "attn.qkv.";
  if (found->rest.starts_with(kPacked)) {
    const std::string attention = block + "attention.attention.";
    const std::string end = "." + found->rest.substr(kPacked.size());
    return {{attention + "query" + end, attention + "key" + end, attention + "value" + end}};
  }
  return {{block + replaced_start(found->rest, plain_vit ? inside_vit : inside).value_or(found->rest)}};
}

TensorRecipe Dinov2Checkpoint::timm_recipe(const std::string& name) const {
  static const NamePairs swiglu = {{"mlp.w12.", "mlp.fc1."}, {"mlp.w3.", "mlp.fc2."}};
  if (name == "register_tokens") {
    return {{"reg_token"}};
  }
  if (name == "pos_embed") {
    TensorRecipe table{{name}};
    table.zero_class_row = positions_without_class_;
    return table;
  }
  const auto block = split_block(name, kBlocks);
  if (!block || !timm_swiglu_) {
    return {{name}};
  }
  if (block->rest.starts_with("mlp.fc")) {
    return {};  // these names mean the packed product here
  }
  return {{fmt::format("{}{}.{}", kBlocks, block->index,
                       replaced_start(block->rest, swiglu).value_or(block->rest))}};
}

std::optional<std::vector<int64_t>> Dinov2Checkpoint::shape(const std::string& name) const {
  return shape_of(recipe(name), state_dict_);
}

int64_t Dinov2Checkpoint::layers() const {
  if (chunk_of_block_.empty()) {
    return block_count(state_dict_, layout_ == Dinov2Layout::hugging_face ? kHuggingFaceBlocks : kBlocks);
  }
  std::set<int64_t> found;
  for (const auto& [block, chunk] : chunk_of_block_) {
    found.insert(block);
  }
  return block_count(found, state_dict_, kBlocks);
}

WeightSource Dinov2Checkpoint::weights(TensorLoader& loader, at::Device device) const {
  const WeightSource source = weights_from(loader, device);
  return [checkpoint = *this, source](const std::string& name, const std::vector<int64_t>& shape) {
    const TensorRecipe made = checkpoint.recipe(name);
    if (made.parts.empty()) {
      throw Error(ErrorKind::internal, "DINOv2 files of the layout {} have no counterpart of '{}'",
                  to_string(checkpoint.layout_), name);
    }
    // timm has already added the class token's position to the class token, so that zeros stand for it.
    return tensor_of(made, shape, source);
  };
}

void Dinov2Checkpoint::ignore_rest(TensorLoader& loader) const {
  for (const char* name : {"mask_token", "embeddings.mask_token"}) {
    loader.ignore(name);
  }
  for (const char* prefix : {"head.", "linear_head.", "dino_head.", "ibot_head.", "classifier.", "pooler."}) {
    loader.ignore_prefix(prefix);
  }
}

}  // namespace patchioner
