// What the backbone `talk2dino` can be told (spec/03 section 8).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "backbones/dinov2_side.hpp"

namespace patchioner {

struct Talk2DinoOptions : Dinov2Options, TextOptions {
  // The projection.
  std::string projection_weights;
  std::string projection_config;
  Value act = Value("auto");
  Value hidden_layer = Value("auto");
  // The text side: CLIP.
  std::string clip_text_weights;
  std::string clip_text_format = "auto";
  std::string clip_text_config;
  std::string clip_text_activation = "auto";
  int64_t clip_text_heads = 0;
};

inline void declare(ParameterList<Talk2DinoOptions>& list) {
  list.note("features", "DINOv2's normalised patch tokens, unchanged");
  list.note(
      "space",
      "CLIP's texts through a projection that was trained for them: 384 (S), 768 (B), 1024 (L), 1536 (g)");
  list.note("input", "518; any multiple of 14");
  list.note("files",
            "dinov2_vitb14_reg4_pretrain.pth, vitb_mlp_infonce.pth and OpenAI's ViT-B-16.pt; likewise for L");
  list.note("source",
            "Barsellotti et al. 2024, github.com/lorebianchi98/Talk2DINO; Oquab et al. 2024 for DINOv2");
  using Options = Talk2DinoOptions;
  declare_dinov2_options(list);
  list.add("projection_weights", &Options::projection_weights,
           "Talk2DINO's projection of CLIP texts; empty: no text side")
      .path();
  list.add("projection_config", &Options::projection_config,
           "its YAML; empty: the .yaml of the same name beside it, if any")
      .path();
  list.add("act", &Options::act,
           "activation before each hidden layer: tanh, relu, sigmoid, none; auto: from its YAML");
  list.add("hidden_layer", &Options::hidden_layer,
           "hidden layers: false, true or a number; auto: from its YAML");
  list.add("clip_text_weights", &Options::clip_text_weights,
           "CLIP checkpoint whose text tower reads the texts")
      .path();
  list.add("clip_text_format", &Options::clip_text_format, "whose checkpoint that is; auto: found out")
      .choices({"auto", "openai", "open_clip", "hugging_face"});
  list.add("clip_text_config", &Options::clip_text_config,
           "its configuration file; empty: the one beside it, if any")
      .path();
  list.add("clip_text_activation", &Options::clip_text_activation,
           "its activation; auto: from the configuration file or OpenAI's")
      .choices({"auto", "quick_gelu", "gelu", "gelu_tanh"});
  list.add("clip_text_heads", &Options::clip_text_heads, "its attention heads; 0: found out").range(0, 1024);
  declare_text_options(list);
}

}  // namespace patchioner
