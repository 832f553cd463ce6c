#include "vision_head.hpp"

#include <algorithm>
#include <optional>

#include "backbones/checkpoint_names.hpp"
#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "published_files.hpp"

namespace patchioner {
namespace {

// Both LayerNorms of a block and the last one; DINOv2's own have 1e-6 (spec/03 section 6.1).
constexpr double kEpsilon = 1e-5;
constexpr const char* kBlocks = "block_list.";

// A file with fewer blocks is asked for the others, so that the report of missing tensors names them.
constexpr int64_t kLayers = 2;

/// The file's tensors, the gate `w1` and the value `w2` stacked to the `w12` that a block multiplies by.
WeightSource head_weights(TensorLoader& loader, at::Device device) {
  return [source = weights_from(loader, device)](const std::string& name, const std::vector<int64_t>& shape) {
    constexpr std::string_view kPacked = ".mlp.w12.";
    const size_t place = name.find(kPacked);
    if (place == std::string::npos) {
      return source(name, shape);
    }
    const std::string block = name.substr(0, place);
    const std::string kind = name.substr(place + kPacked.size());
    return tensor_of({{block + ".mlp.w1." + kind, block + ".mlp.w2." + kind}}, shape, source);
  };
}

}  // namespace

VisionHead::VisionHead(const VisionHeadConfig& config, const WeightSource& source, at::ScalarType precision)
    : config_(config) {
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    blocks_.emplace_back(config.block, BlockNames::dinov2(),
                         with_prefix(source, kBlocks + std::to_string(layer) + "."), precision);
  }
  final_norm_ = LayerNorm(source, "ln_final", config.block.width, config.block.epsilon);
}

at::Tensor VisionHead::forward_together(at::Tensor tokens) const {
  for (const TransformerBlock& block : blocks_) {
    tokens = block.forward(tokens);  // [B,T,D]
  }
  return final_norm_.forward(tokens);
}

at::Tensor VisionHead::forward(const at::Tensor& tokens) const {
  const int64_t at_once = tokens.device().is_cpu() ? sequences_at_once(config_.block, tokens.size(1))
                                                   : std::max<int64_t>(1, tokens.size(0));
  std::vector<at::Tensor> parts;
  for (const at::Tensor& some : tokens.split(at_once)) {
    parts.push_back(forward_together(some));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);  // [B,T,D]
}

LazyTower<VisionHead> load_vision_head(const StateDict& file, int64_t heads, const PluginContext& context) {
  if (!file.contains_prefix(kBlocks)) {
    refuse_checkpoint(
        file, fmt::format("`vision_head_weights` must be DINO.txt's vision head ({})", kVisionHeadFile));
  }
  const auto size_of = [&file](const std::string& name, size_t axis) {
    return find_size(shape_of({{name}}, file), axis);
  };
  std::optional<int64_t> width = size_of("block_list.0.norm1.weight", 0);
  width = width ? width : size_of("ln_final.weight", 0);
  VisionHeadConfig config;
  config.block.width = width.value_or(1);
  config.block.heads = head_count_of(heads, width, file, "head_heads");
  config.block.hidden = size_of("block_list.0.mlp.w3.weight", 1).value_or(1);
  config.block.epsilon = kEpsilon;
  config.block.swiglu = true;
  config.block.qkv_bias = any_block_has(file, kBlocks, "attn.qkv.bias");
  config.block.layer_scale = true;
  config.layers = std::max(kLayers, block_count(file, kBlocks));
  TensorLoader loader(file, "DINO.txt's vision head");
  LazyTower<VisionHead> head =
      lazy_tower<VisionHead>(loader, head_weights, context.device,
                             [config, precision = context.precision](const WeightSource& source) {
                               return std::make_shared<VisionHead>(config, source, precision);
                             });
  loader.finish();
  return head;
}

}  // namespace patchioner
