#include "nn/vit.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {

VitNames VitNames::openai(const std::string& prefix) {
  VitNames names;
  names.class_token = prefix + "class_embedding";
  names.positions = prefix + "positional_embedding";
  names.patch_weight = prefix + "conv1.weight";
  names.pre_norm = prefix + "ln_pre";
  names.blocks = prefix + "transformer.resblocks.";
  names.block = BlockNames::openai();
  names.final_norm = prefix + "ln_post";
  names.projection = prefix + "proj";
  names.projection_bias = prefix + "proj_bias";
  return names;
}

VitNames VitNames::dinov2() {
  VitNames names;
  names.class_token = "cls_token";
  names.positions = "pos_embed";
  names.registers = "register_tokens";
  names.patch_weight = "patch_embed.proj.weight";
  names.patch_bias = "patch_embed.proj.bias";
  names.blocks = "blocks.";
  names.block = BlockNames::dinov2();
  names.final_norm = "norm";
  names.leading_ones = true;
  return names;
}

VisionTransformer::VisionTransformer(const VitConfig& config, const VitNames& names,
                                     const WeightSource& source, at::ScalarType precision)
    : config_(config) {
  const int64_t width = config.block.width;
  const int64_t patch = config.patch_size;
  const bool ones = names.leading_ones;
  class_token_ =
      source(names.class_token, ones ? std::vector<int64_t>{1, 1, width} : std::vector<int64_t>{width});
  positions_ =
      PositionTable(source(names.positions, ones ? std::vector<int64_t>{1, config.position_rows, width}
                                                 : std::vector<int64_t>{config.position_rows, width}),
                    config.position_rule);
  if (config.registers > 0) {
    registers_ = source(names.registers, {1, config.registers, width});
  }
  at::Tensor patch_weight = source(names.patch_weight, {width, config.channels, patch, patch});
  patch_bias_ = config.patch_bias ? source(names.patch_bias, {width}) : at::Tensor();
  if (patch_weight.requires_grad()) {
    patch_weight_ = std::move(patch_weight);
  } else {
    patch_ = Linear(patch_weight.flatten(1), patch_bias_, precision);
  }
  if (config.pre_norm) {
    pre_norm_ = LayerNorm(source, names.pre_norm, width, config.block.epsilon);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    BlockConfig block = config.block;
    block.mask =
        layer >= config.layers - config.diagonal_last_layers ? AttentionMask::diagonal : AttentionMask::none;
    block.attention_type = layer == config.layers - 1 ? config.attention_type : "qkv";
    blocks_.emplace_back(block, names.block, with_prefix(source, names.blocks + std::to_string(layer) + "."),
                         precision);
  }
  final_norm_ = LayerNorm(source, names.final_norm, width, config.final_epsilon);
  if (config.projection > 0) {
    at::Tensor projection = source(names.projection, {width, config.projection});
    if (projection.requires_grad()) {
      projection_ = std::move(projection);
    } else {
      const at::Tensor bias =
          config.projection_bias ? source(names.projection_bias, {config.projection}) : at::Tensor();
      project_ = Linear(projection.t().contiguous(), bias, precision);
    }
  }
}

at::Tensor VisionTransformer::project(const at::Tensor& tokens) const {
  if (projection_.defined()) {
    return at::matmul(tokens, projection_);  // [...,D]
  }
  return project_.defined() ? project_.forward(tokens) : tokens;  // [...,D]
}

at::Tensor VisionTransformer::positions(int64_t rows, int64_t columns, bool square_pixels) const {
  return positions_.at(rows, columns, square_pixels);
}

void VisionTransformer::check_pixels(const at::Tensor& pixels) const {
  if (pixels.dim() != 4 || pixels.size(1) != config_.channels) {
    throw Error(ErrorKind::data, "pixels have the shape {}; expected [images, {}, height, width]",
                shape_text(pixels.sizes()), config_.channels);
  }
  const int64_t patch = config_.patch_size;
  if (pixels.size(2) < patch || pixels.size(3) < patch) {
    throw Error(ErrorKind::data, "an input of {} x {} pixels is smaller than one patch of {} x {}",
                pixels.size(3), pixels.size(2), patch, patch);
  }
  if (config_.strict_size && (pixels.size(2) % patch != 0 || pixels.size(3) % patch != 0)) {
    throw Error(
        ErrorKind::data,
        "an input of {} x {} pixels cannot be cut into patches of {}; both sides must be multiples of it",
        pixels.size(3), pixels.size(2), patch);
  }
}

at::Tensor VisionTransformer::embed_patches(const at::Tensor& pixels, int64_t rows, int64_t columns) const {
  const int64_t patch = config_.patch_size;
  const at::Tensor cells =
      pixels.slice(2, 0, rows * patch)
          .slice(3, 0, columns * patch)
          .reshape({pixels.size(0), config_.channels, rows, patch, columns, patch})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({pixels.size(0), rows * columns, config_.channels * patch * patch});  // [B,G,C*p*p]
  if (patch_weight_.defined()) {
    return at::linear(
        cells, patch_weight_.flatten(1),
        patch_bias_.defined() ? std::optional<at::Tensor>(patch_bias_) : std::nullopt);  // [B,G,W]
  }
  return patch_.forward(cells);  // [B,G,W]
}

int64_t VisionTransformer::images_at_once(const at::Tensor& pixels) const {
  if (at::GradMode::is_enabled() || !pixels.device().is_cpu()) {
    return std::max<int64_t>(1, pixels.size(0));
  }
  const int64_t patches = (pixels.size(2) / config_.patch_size) * (pixels.size(3) / config_.patch_size);
  return sequences_at_once(config_.block, 1 + config_.registers + patches);
}

VitOutput VisionTransformer::forward(const at::Tensor& pixels, const VitRequest& request) const {
  check_pixels(pixels);
  std::vector<VitOutput> parts;
  for (const at::Tensor& some : pixels.split(images_at_once(pixels))) {
    parts.push_back(forward_together(some, request));
  }
  if (parts.size() == 1) {
    return parts.front();
  }
  const auto joined = [&parts](at::Tensor VitOutput::*member) {
    std::vector<at::Tensor> tensors;
    for (const VitOutput& part : parts) {
      tensors.push_back(part.*member);
    }
    return tensors.front().defined() ? at::cat(tensors) : at::Tensor();
  };
  return {parts.front().rows, parts.front().columns, joined(&VitOutput::tokens_in),
          joined(&VitOutput::tokens_raw), joined(&VitOutput::qkv_last)};
}

VitOutput VisionTransformer::forward_together(const at::Tensor& pixels, const VitRequest& request) const {
  VitOutput out;
  out.rows = pixels.size(2) / config_.patch_size;
  out.columns = pixels.size(3) / config_.patch_size;
  const int64_t images = pixels.size(0);
  const int64_t width = config_.block.width;
  const at::Tensor patches = embed_patches(pixels.to(at::kFloat), out.rows, out.columns);     // [B,G,W]
  const at::Tensor classes = class_token_.reshape({1, 1, width}).expand({images, 1, width});  // [B,1,W]
  const bool square = pixels.size(2) == pixels.size(3);
  at::Tensor x = at::cat({classes, patches}, 1) + positions(out.rows, out.columns, square);  // [B,1+G,W]
  if (registers_.defined()) {
    x = at::cat({x.slice(1, 0, 1), registers_.expand({images, config_.registers, width}), x.slice(1, 1)},
                1);  // [B,T,W]
  }
  if (config_.pre_norm) {
    x = pre_norm_.forward(x);
  }
  if (request.tokens_in) {
    out.tokens_in = x;
  }
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const bool last = layer + 1 == blocks_.size();
    if (last && !request.last_block) {
      out.qkv_last = blocks_[layer].queries_keys_values(x);  // [B,T,3*W]
      break;
    }
    if (last && request.class_only) {
      x = blocks_[layer].forward_class(x);  // [B,1,W]
      break;
    }
    x = blocks_[layer].forward(x, last ? &out.qkv_last : nullptr);  // [B,T,W]
  }
  out.tokens_raw = x;
  return out;
}

}  // namespace patchioner
