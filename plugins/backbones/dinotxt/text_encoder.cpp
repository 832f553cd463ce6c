#include "text_encoder.hpp"

#include "backbones/checkpoint_names.hpp"
#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "published_files.hpp"

namespace patchioner {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr const char* kBlocks = "backbone.blocks.";

/// How DINO.txt's file stores what the tower asks for by OpenAI's names.
TensorRecipe text_recipe(const std::string& name) {
  static const NamePairs inside = {
      {"ln_1.", "attention_norm."},        {"ln_2.", "ffn_norm."},
      {"attn.in_proj_", "attention.qkv."}, {"attn.out_proj.", "attention.proj."},
      {"mlp.c_fc.", "feed_forward.fc1."},  {"mlp.c_proj.", "feed_forward.fc2."},
  };
  if (name == "text_projection") {
    return {{"head.linear_projection.weight"}, true};
  }
  if (const auto block = split_block(name, "transformer.resblocks.")) {
    return {{fmt::format("{}{}.{}", kBlocks, block->index,
                         replaced_start(block->rest, inside).value_or(block->rest))}};
  }
  return {{"backbone." + name}};
}

WeightSource text_weights(TensorLoader& loader, at::Device device) {
  return [source = weights_from(loader, device)](const std::string& name, const std::vector<int64_t>& shape) {
    return tensor_of(text_recipe(name), shape, source);
  };
}

/// A size of what the tower calls `name`.
int64_t size_of(const StateDict& file, const std::string& name, size_t axis) {
  return size_at(shape_of(text_recipe(name), file), axis);
}

std::optional<int64_t> width_of(const StateDict& file) {
  const std::optional<int64_t> width = find_size(shape_of(text_recipe("token_embedding.weight"), file), 1);
  return width ? width : find_size(shape_of(text_recipe("ln_final.weight"), file), 0);
}

ClipTextConfig text_config(const StateDict& file, int64_t heads) {
  ClipTextConfig config;
  const std::optional<int64_t> width = width_of(file);
  config.block.width = width.value_or(1);
  config.block.heads = head_count_of(heads, width, file, "text_heads");
  config.block.hidden = size_of(file, "transformer.resblocks.0.mlp.c_fc.weight", 0);
  config.block.epsilon = kEpsilon;
  config.block.activation = Activation::gelu;
  config.block.qkv_bias = any_block_has(file, kBlocks, "attention.qkv.bias");
  config.layers = block_count(file, kBlocks);
  config.context = size_of(file, "positional_embedding", 0);
  config.vocabulary = size_of(file, "token_embedding.weight", 0);
  config.dim = size_of(file, "text_projection", 1);
  return config;
}

}  // namespace

LazyTower<ClipText> load_text_encoder(const StateDict& file, int64_t heads, const PluginContext& context) {
  const std::string wanted =
      fmt::format("`text_weights` must be DINO.txt's text encoder ({})", kTextEncoderFile);
  require_family(file, {CheckpointFamily::dinotxt_text}, wanted);
  if (!file.contains_prefix(kBlocks) && !file.contains("backbone.token_embedding.weight")) {
    refuse_checkpoint(file, wanted);
  }
  const ClipTextConfig config = text_config(file, heads);
  TensorLoader loader(file, "DINO.txt's text encoder");
  LazyTower<ClipText> text =
      lazy_tower<ClipText>(loader, text_weights, context.device,
                           [config, precision = context.precision](const WeightSource& source) {
                             return std::make_shared<ClipText>(config, source, precision);
                           });
  loader.finish();
  return text;
}

}  // namespace patchioner
