// What the backbone `clip` can be told (spec/02 section 15).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "nn/backbone_options.hpp"

namespace patchioner {

struct ClipOptions : ImageOptions, TextOptions {
  std::string weights;
  std::string format = "auto";
  std::string config;
  std::string pos_resample = "bicubic_aa";
  std::string activation = "auto";
  int64_t heads = 0;
  int64_t text_heads = 0;
  bool ln_post = true;
  bool round_weights_fp16 = false;
};

inline void declare(ParameterList<ClipOptions>& list) {
  list.add("weights", &ClipOptions::weights,
           "checkpoint: OpenAI, open_clip, Hugging Face or timm, told by content")
      .path()
      .required();
  list.add("format", &ClipOptions::format, "whose checkpoint it is; auto: found out")
      .choices({"auto", "openai", "open_clip", "hugging_face", "timm"});
  list.add("config", &ClipOptions::config,
           "configuration file of the model; empty: the one beside the weights, if any")
      .path();
  declare_image_options(list);
  list.add("pos_resample", &ClipOptions::pos_resample,
           "how positions are resampled at another resolution than the checkpoint's")
      .choices({"bicubic_aa", "bicubic", "bilinear"});
  list.add("activation", &ClipOptions::activation,
           "of the feed-forward parts; auto: from the configuration file or OpenAI's")
      .choices({"auto", "quick_gelu", "gelu", "gelu_tanh"});
  list.add("heads", &ClipOptions::heads, "attention heads of the image tower; 0: found out").range(0, 1024);
  list.add("text_heads", &ClipOptions::text_heads, "attention heads of the text tower; 0: found out")
      .range(0, 1024);
  list.add("ln_post", &ClipOptions::ln_post,
           "apply the final norm before the projection; false repeats the reference's OpenCLIP tokens");
  list.add("round_weights_fp16", &ClipOptions::round_weights_fp16,
           "round matrices to half precision first, as OpenAI's loader does");
  declare_text_options(list);
}

}  // namespace patchioner
