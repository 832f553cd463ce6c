#include "nn/dinov2_names.hpp"

#include <array>
#include <cmath>
#include <patchioner/error.hpp>
#include <utility>

#include "nn/position_table.hpp"

namespace patchioner {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view kBlocks = "blocks.";
constexpr std::string_view kHuggingFaceBlocks = "encoder.layer.";

std::string replaced_start(const std::string& name, const Pairs& pairs) {
  for (const auto& [from, to] : pairs) {
    if (name.starts_with(from)) {
      return std::string(to) + name.substr(from.size());
    }
  }
  return name;
}

/// The number that `name` has at `position`, up to the next dot; -1 when there is none.
int64_t number_at(const std::string& name, size_t position, size_t& end) {
  end = name.find('.', position);
  if (end == std::string::npos || end == position || end - position > 6 ||
      name.substr(position, end - position).find_first_not_of("0123456789") != std::string::npos) {
    return -1;
  }
  return std::stoll(name.substr(position, end - position));
}

/// Takes "blocks.7.norm1.weight" apart into "7" and "norm1.weight".
bool split_block(const std::string& name, std::string& index, std::string& rest) {
  size_t end = 0;
  if (!name.starts_with(kBlocks) || number_at(name, kBlocks.size(), end) < 0) {
    return false;
  }
  index = name.substr(kBlocks.size(), end - kBlocks.size());
  rest = name.substr(end + 1);
  return true;
}

/// What trainers and classification models put in front of the backbone's names.
StateDict backbone_part(const StateDict& whole) {
  for (const std::string_view prefix :
       {"", "backbone.", "teacher.backbone.", "teacher.", "dinov2.", "dinov2_with_registers."}) {
    const std::string start(prefix);
    if (whole.contains(start + "cls_token") || whole.contains(start + "embeddings.cls_token")) {
      return prefix.empty() ? whole : whole.with_prefix(prefix);
    }
  }
  throw Error(
      ErrorKind::checkpoint,
      "{} is no DINOv2: neither cls_token (official, timm) nor embeddings.cls_token (Hugging Face) is in it",
      whole.description());
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
    return;
  }
  if (state_dict_.contains_prefix("norm_pre.")) {
    throw Error(ErrorKind::checkpoint,
                "{} is no DINOv2: it has a norm before the blocks (norm_pre), as timm's CLIP image towers "
                "do; use the plugin clip",
                state_dict_.description());
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

void Dinov2Checkpoint::find_chunks() {
  for (const std::string& name : state_dict_.names()) {
    size_t chunk_end = 0;
    size_t block_end = 0;
    if (!name.starts_with(kBlocks) || number_at(name, kBlocks.size(), chunk_end) < 0) {
      continue;
    }
    const int64_t block = number_at(name, chunk_end + 1, block_end);
    if (block < 0) {
      continue;
    }
    if (static_cast<size_t>(block) >= chunk_of_block_.size()) {
      chunk_of_block_.resize(block + 1);
    }
    chunk_of_block_[block] = name.substr(kBlocks.size(), block_end + 1 - kBlocks.size());
  }
}

Dinov2Checkpoint::Recipe Dinov2Checkpoint::recipe(const std::string& name) const {
  if (layout_ == Dinov2Layout::hugging_face) {
    return hugging_face_recipe(name);
  }
  if (layout_ == Dinov2Layout::timm) {
    return timm_recipe(name);
  }
  std::string index;
  std::string rest;
  if (!chunk_of_block_.empty() && split_block(name, index, rest)) {
    const auto block = static_cast<size_t>(std::stoll(index));
    if (block < chunk_of_block_.size() && !chunk_of_block_[block].empty()) {
      return {{std::string(kBlocks) + chunk_of_block_[block] + rest}};
    }
  }
  return {{name}};
}

Dinov2Checkpoint::Recipe Dinov2Checkpoint::hugging_face_recipe(const std::string& name) const {
  static const Pairs outside = {
      {"cls_token", "embeddings.cls_token"},
      {"register_tokens", "embeddings.register_tokens"},
      {"pos_embed", "embeddings.position_embeddings"},
      {"patch_embed.proj.", "embeddings.patch_embeddings.projection."},
      {"norm.", "layernorm."},
  };
  static const Pairs inside = {
      {"attn.proj.", "attention.output.dense."}, {"ls1.gamma", "layer_scale1.lambda1"},
      {"ls2.gamma", "layer_scale2.lambda1"},     {"mlp.w12.", "mlp.weights_in."},
      {"mlp.w3.", "mlp.weights_out."},
  };
  std::string index;
  std::string rest;
  if (!split_block(name, index, rest)) {
    return {{replaced_start(name, outside)}};
  }
  const std::string block = std::string(kHuggingFaceBlocks) + index + ".";
  constexpr std::string_view kPacked = "attn.qkv.";
  if (rest.starts_with(kPacked)) {
    const std::string attention = block + "attention.attention.";
    const std::string end = "." + rest.substr(kPacked.size());
    return {{attention + "query" + end, attention + "key" + end, attention + "value" + end}};
  }
  return {{block + replaced_start(rest, inside)}};
}

Dinov2Checkpoint::Recipe Dinov2Checkpoint::timm_recipe(const std::string& name) const {
  static const Pairs swiglu = {{"mlp.w12.", "mlp.fc1."}, {"mlp.w3.", "mlp.fc2."}};
  if (name == "register_tokens") {
    return {{"reg_token"}};
  }
  if (name == "pos_embed") {
    return {{name}, positions_without_class_};
  }
  std::string index;
  std::string rest;
  if (!split_block(name, index, rest)) {
    return {{name}};
  }
  if (timm_swiglu_ && rest.starts_with("mlp.fc")) {
    return {};  // these names mean the packed product here
  }
  return {{std::string(kBlocks) + index + "." + (timm_swiglu_ ? replaced_start(rest, swiglu) : rest)}};
}

std::optional<std::vector<int64_t>> Dinov2Checkpoint::shape(const std::string& name) const {
  const Recipe made = recipe(name);
  const TensorInfo* info = made.parts.empty() ? nullptr : state_dict_.info(made.parts.front());
  if (info == nullptr) {
    return std::nullopt;
  }
  std::vector<int64_t> shape = info->shape;
  if (made.parts.size() > 1 && !shape.empty()) {
    shape.front() *= static_cast<int64_t>(made.parts.size());
  }
  if (made.zero_class_row) {
    shape[1] += 1;
  }
  return shape;
}

int64_t Dinov2Checkpoint::layers() const {
  if (!chunk_of_block_.empty()) {
    return static_cast<int64_t>(chunk_of_block_.size());
  }
  const std::string_view start = layout_ == Dinov2Layout::hugging_face ? kHuggingFaceBlocks : kBlocks;
  int64_t highest = -1;
  for (const std::string& name : state_dict_.names()) {
    size_t end = 0;
    if (name.starts_with(start)) {
      highest = std::max(highest, number_at(name, start.size(), end));
    }
  }
  return highest + 1;
}

WeightSource Dinov2Checkpoint::weights(TensorLoader& loader, at::Device device) const {
  const WeightSource source = weights_from(loader, device);
  return [checkpoint = *this, source](const std::string& name, const std::vector<int64_t>& shape) {
    const Recipe made = checkpoint.recipe(name);
    if (made.parts.empty()) {
      throw Error(ErrorKind::internal, "DINOv2 files of the layout {} have no counterpart of '{}'",
                  to_string(checkpoint.layout_), name);
    }
    std::vector<int64_t> stored = shape;
    stored.front() /= static_cast<int64_t>(made.parts.size());
    if (made.zero_class_row) {
      stored[1] -= 1;
    }
    std::vector<at::Tensor> parts;
    for (const std::string& part : made.parts) {
      parts.push_back(source(part, stored));
    }
    const at::Tensor tensor = parts.size() == 1 ? parts.front() : at::cat(parts);
    // timm has already added the class token's position to the class token.
    return made.zero_class_row ? at::cat({at::zeros({1, 1, shape[2]}, tensor.options()), tensor}, 1) : tensor;
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
