#include "vision_head.hpp"

#include "backbones/checkpoint_names.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "published_files.hpp"

namespace patchioner {
namespace {

// Both LayerNorms of a block and the last one; DINOv2's own have 1e-6 (spec/03 section 6.1).
constexpr double kEpsilon = 1e-5;
constexpr const char* kBlocks = "block_list.";

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
  const int64_t images = tokens.size(0);
  const int64_t at_once = tokens.device().is_cpu() ? sequences_at_once(config_.block, tokens.size(1))
                                                   : std::max<int64_t>(1, images);
  if (images <= at_once) {
    return forward_together(tokens);
  }
  std::vector<at::Tensor> parts;
  for (int64_t start = 0; start < images; start += at_once) {
    parts.push_back(forward_together(tokens.slice(0, start, start + at_once)));
  }
  return at::cat(parts);  // [B,T,D]
}

LazyTower<VisionHead> load_vision_head(const StateDict& file, int64_t heads, const PluginContext& context) {
  const TensorInfo* norm = file.info("block_list.0.norm1.weight");
  if (norm == nullptr || norm->shape.size() != 1) {
    refuse_checkpoint(
        file, fmt::format("`vision_head_weights` must be DINO.txt's vision head ({})", kVisionHeadFile));
  }
  const TensorInfo* w3 = file.info("block_list.0.mlp.w3.weight");
  VisionHeadConfig config;
  config.block.width = norm->shape[0];
  config.block.heads = heads;
  config.block.hidden = w3 != nullptr && w3->shape.size() == 2 ? w3->shape[1] : 1;
  config.block.epsilon = kEpsilon;
  config.block.swiglu = true;
  config.block.qkv_bias = file.contains("block_list.0.attn.qkv.bias");
  config.block.layer_scale = file.contains("block_list.0.ls1.gamma");
  config.layers = block_count(file, kBlocks);
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
