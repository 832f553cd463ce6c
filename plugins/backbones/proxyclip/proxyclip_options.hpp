// What the backbone `proxyclip` can be told (spec/03 section 8).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "backbones/backbone_options.hpp"

namespace patchioner {

struct ProxyClipOptions : ImageOptions, TextOptions {
  // CLIP.
  std::string clip_weights;
  std::string clip_format = "auto";
  std::string clip_config;
  std::string clip_activation = "auto";
  int64_t clip_heads = 0;
  int64_t clip_text_heads = 0;
  bool clip_round_weights_fp16 = false;
  // The proxy: DINO or DINOv2.
  std::string proxy = "auto";
  std::string proxy_weights;
  std::string proxy_config;
  int64_t proxy_heads = 0;
  // How they work together.
  double beta = 1.2;
  double gamma = 3.0;
  std::string clip_stats = "clip";
  std::string similarity_mean = "image";
};

inline void declare(ParameterList<ProxyClipOptions>& list) {
  list.note("features",
            "values of CLIP's last block, mixed by how alike DINO's or DINOv2's patches are; of length 1, on "
            "the proxy's grid");
  list.note("space", "texts of the same CLIP: 512");
  list.note("input", "296 with DINO B/8, 518 with DINOv2 B/14");
  list.note("files",
            "OpenAI's ViT-B-16.pt with dino_vitbase8_pretrain.pth, dino_vitbase16_pretrain.pth, "
            "dinov2_vitb14_reg4_pretrain.pth or dinov2_vitb14_pretrain.pth");
  list.note("source", "Lan et al. 2024, github.com/mc-lan/ProxyCLIP");
  using Options = ProxyClipOptions;
  constexpr double kMostHeads = 1024;
  list.add("clip_weights", &Options::clip_weights,
           "CLIP checkpoint: OpenAI, open_clip, Hugging Face or timm, told by content")
      .path();
  list.add("clip_format", &Options::clip_format, "whose checkpoint that is; auto: found out")
      .choices({"auto", "openai", "open_clip", "hugging_face", "timm"});
  list.add("clip_config", &Options::clip_config, "its configuration file; empty: the one beside it, if any")
      .path();
  list.add("clip_activation", &Options::clip_activation,
           "its activation; auto: from the configuration file or OpenAI's")
      .choices({"auto", "quick_gelu", "gelu", "gelu_tanh"});
  list.add("clip_heads", &Options::clip_heads, "attention heads of its image tower; 0: found out")
      .range(0, kMostHeads);
  list.add("clip_text_heads", &Options::clip_text_heads, "attention heads of its text tower; 0: found out")
      .range(0, kMostHeads);
  list.add("clip_round_weights_fp16", &Options::clip_round_weights_fp16,
           "round its matrices to half precision first, as OpenAI's loader does");
  list.add("proxy", &Options::proxy, "family that proxy_weights must be of; auto: either")
      .choices({"auto", "dino", "dinov2"});
  list.add("proxy_weights", &Options::proxy_weights,
           "DINO or DINOv2 checkpoint: official, Hugging Face or timm, told by content")
      .path();
  list.add("proxy_config", &Options::proxy_config,
           "Hugging Face config.json of it; empty: the one beside the weights, if any")
      .path();
  list.add("proxy_heads", &Options::proxy_heads,
           "its attention heads; 0: from the configuration file, else width / 64")
      .range(0, kMostHeads);
  list.add("beta", &Options::beta,
           "patches less alike than this many times the mean similarity are not looked at")
      .range(0, 1e3);
  list.add("gamma", &Options::gamma, "sharpness of the attention: factor on the similarities").range(0, 1e3);
  list.add(
          "clip_stats", &Options::clip_stats,
          "mean and deviation of CLIP's pixels: clip (published), or imagenet as the proxy's (the reference)")
      .choices({"clip", "imagenet"});
  list.add("similarity_mean", &Options::similarity_mean,
           "mean similarity of each image, or of all images of a batch (the reference)")
      .choices({"image", "batch"});
  declare_input_options(list);
  declare_text_options(list);
}

}  // namespace patchioner
