#include "backbones/dino_config_file.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

int64_t size_of(const Dinov2Checkpoint& checkpoint, const char* name, size_t axis) {
  const auto shape = checkpoint.shape(name);
  return shape && axis < shape->size() ? (*shape)[axis] : 0;
}

/// The ratio from which transformers computes the hidden width: width * ratio, and for SwiGLU two thirds of
/// that, rounded up to a multiple of 8.
Json mlp_ratio(int64_t width, int64_t hidden, bool swiglu) {
  constexpr int64_t kUsual = 4;
  if (swiglu) {
    return (kUsual * width * 2 / 3 + 7) / 8 * 8 == hidden
               ? Json(kUsual)
               : Json(1.5 * static_cast<double>(hidden) / static_cast<double>(width));
  }
  return hidden % width == 0 ? Json(hidden / width)
                             : Json(static_cast<double>(hidden) / static_cast<double>(width));
}

}  // namespace

std::string hugging_face_dino_config(const Dinov2Checkpoint& checkpoint, int64_t heads) {
  const int64_t width = size_of(checkpoint, "patch_embed.proj.weight", 0);
  const int64_t patch = size_of(checkpoint, "patch_embed.proj.weight", 3);
  const double patches = static_cast<double>(size_of(checkpoint, "pos_embed", 1) - 1);
  const bool swiglu = checkpoint.contains("blocks.0.mlp.w12.weight");
  const int64_t hidden = swiglu ? size_of(checkpoint, "blocks.0.mlp.w3.weight", 1)
                                : size_of(checkpoint, "blocks.0.mlp.fc1.weight", 0);
  const int64_t registers = size_of(checkpoint, "register_tokens", 1);
  const bool dino = checkpoint.family() == CheckpointFamily::dino;
  Json json = {
      {"architectures",
       {dino            ? "ViTModel"
        : registers > 0 ? "Dinov2WithRegistersModel"
                        : "Dinov2Model"}},
      {"model_type", dino            ? "vit"
                     : registers > 0 ? "dinov2_with_registers"
                                     : "dinov2"},
      {"hidden_size", width},
      {"num_hidden_layers", checkpoint.layers()},
      {"num_attention_heads", heads},
      {"num_channels", 3},
      {"image_size", std::llround(std::sqrt(std::max(patches, 0.0))) * patch},
      {"patch_size", patch},
      {"hidden_act", "gelu"},
      {"qkv_bias", true},
  };
  if (dino) {
    json["intermediate_size"] = hidden;
    json["layer_norm_eps"] = 1e-12;  // what the published files say, though the model was made with 1e-6
  } else {
    json["mlp_ratio"] = mlp_ratio(width, hidden, swiglu);
    json["use_swiglu_ffn"] = swiglu;
    json["layer_norm_eps"] = 1e-6;
    if (registers > 0) {
      json["num_register_tokens"] = registers;
    }
  }
  constexpr int kIndent = 2;
  return json.dump(kIndent) + "\n";
}

}  // namespace patchioner
