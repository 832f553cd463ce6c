#include "backbones/dinov2_model.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "backbones/head_count.hpp"
#include "backbones/stored_settings.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

// LayerNorm everywhere in DINO and DINOv2, whatever a configuration file says (spec/03 sections 1.2 and 2).
constexpr double kEpsilon = 1e-6;

int64_t size_of(const Dinov2Checkpoint& checkpoint, const std::string& name, size_t axis) {
  return size_at(checkpoint.shape(name), axis);
}

/// The head count of a Hugging Face configuration file, or 0.
int64_t configured_heads(const Dinov2Checkpoint& checkpoint, const Dinov2LoadOptions& options) {
  const bool given = !options.config.empty();
  const std::filesystem::path file =
      given ? options.config : checkpoint.state_dict().path().parent_path() / "config.json";
  std::error_code failure;
  if (!given && (checkpoint.layout() != Dinov2Layout::hugging_face ||
                 !std::filesystem::is_regular_file(file, failure))) {
    return 0;
  }
  try {
    return nlohmann::json::parse(read_file(file)).at("num_attention_heads").get<int64_t>();
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::config,
                "{}: no configuration of a DINO or DINOv2 (num_attention_heads is wanted): {}", file.string(),
                error.what());
  }
}

}  // namespace

std::optional<int64_t> known_heads(const Dinov2Checkpoint& checkpoint, const Dinov2LoadOptions& options) {
  int64_t heads = options.heads;
  if (heads == 0 && options.config.empty()) {
    heads = stored_heads(checkpoint.state_dict()).value_or(0);
  }
  if (heads == 0) {
    heads = configured_heads(checkpoint, options);
  }
  return heads > 0 ? std::optional<int64_t>(heads) : std::nullopt;
}

int64_t head_count(const Dinov2Checkpoint& checkpoint, const Dinov2LoadOptions& options) {
  return head_count_of(known_heads(checkpoint, options).value_or(0),
                       find_size(checkpoint.shape("patch_embed.proj.weight"), 0), checkpoint.state_dict(),
                       options.option_prefix + "heads");
}

LazyTower<VisionTransformer> load_dinov2(const Dinov2Checkpoint& checkpoint,
                                         const Dinov2LoadOptions& options) {
  const bool dinov2 = checkpoint.family() == CheckpointFamily::dinov2;
  VitConfig config;
  const int64_t width = size_of(checkpoint, "patch_embed.proj.weight", 0);
  config.block.width = width;
  config.block.heads = head_count(checkpoint, options);
  config.block.epsilon = config.final_epsilon = kEpsilon;
  config.block.activation = Activation::gelu;
  config.block.layer_scale = dinov2;
  config.block.swiglu = checkpoint.contains("blocks.0.mlp.w12.weight");
  config.block.hidden = config.block.swiglu ? size_of(checkpoint, "blocks.0.mlp.w3.weight", 1)
                                            : size_of(checkpoint, "blocks.0.mlp.fc1.weight", 0);
  config.layers = checkpoint.layers();
  config.patch_size = size_of(checkpoint, "patch_embed.proj.weight", 3);
  config.patch_bias = true;
  config.position_rows = size_of(checkpoint, "pos_embed", 1);
  config.registers = checkpoint.contains("register_tokens") ? size_of(checkpoint, "register_tokens", 1) : 0;
  config.position_rule = config.registers > 0 ? PositionRule::bicubic_aa : PositionRule::bicubic_offset;
  config.attention_type = options.attention_type;
  config.strict_size = dinov2;  // DINO's convolution cuts off what is no whole patch (spec/03 section 2)
  TensorLoader loader(checkpoint.state_dict(), dinov2 ? "a DINOv2" : "a DINO");
  checkpoint.ignore_rest(loader);
  const WeightReader reader = [checkpoint](TensorLoader& through, at::Device device) {
    return checkpoint.weights(through, device);
  };
  LazyTower<VisionTransformer> tower = lazy_tower<VisionTransformer>(
      loader, reader, options.device, [config, precision = options.precision](const WeightSource& source) {
        return std::make_shared<VisionTransformer>(config, VitNames::dinov2(), source, precision);
      });
  loader.finish();
  position_grid(config.position_rows, fmt::format("{}: {}", checkpoint.state_dict().description(),
                                                  checkpoint.recipe("pos_embed").parts.front()));
  return tower;
}

}  // namespace patchioner
