// What the backbone `clip` can be told (spec/02 section 15).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

namespace patchioner {

struct ClipOptions {
  std::string weights;
  std::string format = "auto";
  std::string config;
  int64_t resolution = 0;
  int64_t resize_dim = 0;
  int64_t crop_dim = 0;
  bool keep_img_ratio = false;
  std::string pos_resample = "bicubic_aa";
  std::string activation = "auto";
  int64_t heads = 0;
  int64_t text_heads = 0;
  bool ln_post = true;
  bool round_weights_fp16 = false;
  std::string attention_type = "qkv";
  std::string map_reduce = "logits";
  std::string vocabulary;
  std::string text_clean = "full";
  bool truncate = true;
  int64_t context = 0;
};

inline void declare(ParameterList<ClipOptions>& list) {
  constexpr double kMostPixels = 8192;
  list.add("weights", &ClipOptions::weights,
           "checkpoint: OpenAI, open_clip, Hugging Face or timm, told by content")
      .path()
      .required();
  list.add("format", &ClipOptions::format, "whose checkpoint it is; auto: found out")
      .choices({"auto", "openai", "open_clip", "hugging_face", "timm"});
  list.add("config", &ClipOptions::config,
           "configuration file of the model; empty: the one beside the weights, if any")
      .path();
  list.add("resolution", &ClipOptions::resolution,
           "side of the network input, pixels; 0: the checkpoint's own")
      .range(0, kMostPixels);
  list.add("resize_dim", &ClipOptions::resize_dim, "side that images are resized to, pixels; 0: resolution")
      .range(0, kMostPixels);
  list.add("crop_dim", &ClipOptions::crop_dim,
           "side of the centre crop, pixels, with keep_img_ratio; 0: resolution")
      .range(0, kMostPixels);
  list.add("keep_img_ratio", &ClipOptions::keep_img_ratio,
           "resize the shorter side and crop the centre instead of squashing");
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
  list.add("attention_type", &ClipOptions::attention_type,
           "which parts serve as q, k, v in the last block: three letters");
  list.add("map_reduce", &ClipOptions::map_reduce,
           "heads to one attention map: softmax of the mean logits, or mean of the softmaxes")
      .choices({"logits", "probs"});
  list.add("vocabulary", &ClipOptions::vocabulary,
           "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside; needed for texts")
      .path();
  list.add("text_clean", &ClipOptions::text_clean, "how texts are cleaned before they are split")
      .choices({"full", "basic", "none"});
  list.add("truncate", &ClipOptions::truncate,
           "cut texts that are too long, with one warning; false: refuse them");
  list.add("context", &ClipOptions::context, "most ids a text may have; 0: the text tower's own")
      .range(0, 4096);
}

}  // namespace patchioner
