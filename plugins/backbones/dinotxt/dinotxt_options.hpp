// What the backbone `dinotxt` can be told (spec/03 section 8).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "backbones/dinov2_side.hpp"

namespace patchioner {

struct DinotxtOptions : Dinov2Options, TextOptions {
  bool vision_head = true;
  std::string vision_head_weights;
  int64_t head_heads = 0;
  std::string text_weights;
  int64_t text_heads = 0;
  std::string text_part = "patches";
};

inline void declare(ParameterList<DinotxtOptions>& list) {
  list.note("features",
            "DINOv2's tokens through the vision head of two blocks, or without it (vision_head: false)");
  list.note("space", "its own text encoder's half for patches: 1024");
  list.note("input", "518");
  list.note("files",
            "dinov2_vitl14_reg4_pretrain.pth, dinov2_vitl14_reg4_dinotxt_tet1280d20h24l_vision_head.pth and "
            "..._text_encoder.pth");
  list.note("source", "Jose et al. 2025, github.com/facebookresearch/dinov2");
  using Options = DinotxtOptions;
  constexpr double kMostHeads = 1024;
  declare_dinov2_options(list);
  list.add("vision_head", &Options::vision_head,
           "tokens pass DINO.txt's vision head; false: DINOv2's own, as in the reference's runs");
  list.add("vision_head_weights", &Options::vision_head_weights,
           "DINO.txt's vision head, needed for images with vision_head")
      .path();
  list.add("head_heads", &Options::head_heads, "attention heads of the vision head; 0: as many as the DINOv2")
      .range(0, kMostHeads);
  list.add("text_weights", &Options::text_weights, "DINO.txt's text encoder; empty: no text side").path();
  list.add("text_heads", &Options::text_heads, "attention heads of the text encoder; 0: width / 64")
      .range(0, kMostHeads);
  list.add("text_part", &Options::text_part,
           "half of a text's vector: the one that patches were trained against, or the class token's")
      .choices({"patches", "class"});
  declare_text_options(list);
}

}  // namespace patchioner
