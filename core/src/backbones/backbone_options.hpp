// The options that backbones share: how images become the input of a vision transformer, and how texts become
// ids (spec/02 section 15, spec/03 section 8). A backbone's options struct derives from what it has.
#pragma once

#include <array>
#include <patchioner/geometry.hpp>
#include <patchioner/parameters.hpp>
#include <string>

#include "nn/attention.hpp"
#include "nn/vit.hpp"

namespace patchioner {

struct ImageOptions {
  int64_t resolution = 0;
  int64_t resize_dim = 0;
  int64_t crop_dim = 0;
  bool keep_img_ratio = false;
  std::string attention_type = "qkv";
  std::string map_reduce = "logits";
};

struct TextOptions {
  std::string vocabulary;
  std::string text_clean = "full";
  bool truncate = true;
  int64_t context = 0;
};

/// Where a CLIP comes from and what its file does not say.
struct ClipWeightsOptions {
  std::string weights;
  std::string format = "auto";
  std::string config;
  std::string pos_resample = "bicubic_aa";
  std::string activation = "auto";
  int64_t heads = 0;
  int64_t text_heads = 0;
  bool round_weights_fp16 = false;
};

/// Adds the options of a CLIP's weights to the declaration of `Options`, a struct derived from
/// ClipWeightsOptions.
template <class Options>
void declare_clip_weights_options(ParameterList<Options>& list) {
  using Integer = int64_t Options::*;
  using Text = std::string Options::*;
  constexpr double kMostHeads = 1024;
  list.add("weights", static_cast<Text>(&ClipWeightsOptions::weights),
           "checkpoint: OpenAI, open_clip, Hugging Face or timm, told by content")
      .path()
      .required();
  list.add("format", static_cast<Text>(&ClipWeightsOptions::format),
           "whose checkpoint it is; auto: found out")
      .choices({"auto", "openai", "open_clip", "hugging_face", "timm"});
  list.add("config", static_cast<Text>(&ClipWeightsOptions::config),
           "configuration file of the model; empty: the one beside the weights, if any")
      .path();
  list.add("pos_resample", static_cast<Text>(&ClipWeightsOptions::pos_resample),
           "how positions are resampled at another resolution than the checkpoint's")
      .choices({"bicubic_aa", "bicubic", "bilinear"});
  list.add("activation", static_cast<Text>(&ClipWeightsOptions::activation),
           "of the feed-forward parts; auto: from the configuration file or OpenAI's")
      .choices({"auto", "quick_gelu", "gelu", "gelu_tanh"});
  list.add("heads", static_cast<Integer>(&ClipWeightsOptions::heads),
           "attention heads of the image tower; 0: found out")
      .range(0, kMostHeads);
  list.add("text_heads", static_cast<Integer>(&ClipWeightsOptions::text_heads),
           "attention heads of the text tower; 0: found out")
      .range(0, kMostHeads);
  list.add("round_weights_fp16", static_cast<bool Options::*>(&ClipWeightsOptions::round_weights_fp16),
           "round matrices to half precision first, as OpenAI's loader does");
}

/// The largest side of a network input, pixels.
constexpr double kMostInputPixels = 8192;

/// Adds the options of how images become a network input of `resolution` to the declaration of `Options`, a
/// struct derived from ImageOptions.
template <class Options>
void declare_resize_options(ParameterList<Options>& list) {
  using Integer = int64_t Options::*;
  list.add("resize_dim", static_cast<Integer>(&ImageOptions::resize_dim),
           "side that images are resized to, pixels; 0: resolution")
      .range(0, kMostInputPixels);
  list.add("crop_dim", static_cast<Integer>(&ImageOptions::crop_dim),
           "side of the centre crop, pixels, with keep_img_ratio; 0: resolution")
      .range(0, kMostInputPixels);
  list.add("keep_img_ratio", static_cast<bool Options::*>(&ImageOptions::keep_img_ratio),
           "resize the shorter side and crop the centre instead of squashing");
}

/// Adds the options of the network input's size, likewise: those of a backbone without an attention map.
template <class Options>
void declare_input_options(ParameterList<Options>& list) {
  list.add("resolution", static_cast<int64_t Options::*>(&ImageOptions::resolution),
           "side of the network input, pixels; 0: the checkpoint's own")
      .range(0, kMostInputPixels);
  declare_resize_options(list);
}

/// Adds the option of the attention map, likewise.
template <class Options>
void declare_map_option(ParameterList<Options>& list) {
  list.add("map_reduce", static_cast<std::string Options::*>(&ImageOptions::map_reduce),
           "heads to one attention map: softmax of the mean logits, or mean of the softmaxes")
      .choices({"logits", "probs"});
}

/// Adds all options of images of a vision transformer, likewise.
template <class Options>
void declare_image_options(ParameterList<Options>& list) {
  declare_input_options(list);
  list.add("attention_type", static_cast<std::string Options::*>(&ImageOptions::attention_type),
           "which parts serve as q, k, v in the last block: three letters");
  declare_map_option(list);
}

/// Adds the options of how texts become ids to the declaration of `Options`, a struct derived from
/// TextOptions.
template <class Options>
void declare_tokenizer_options(ParameterList<Options>& list) {
  using Text = std::string Options::*;
  list.add("vocabulary", static_cast<Text>(&TextOptions::vocabulary),
           "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside; needed for texts")
      .path();
  list.add("text_clean", static_cast<Text>(&TextOptions::text_clean),
           "how texts are cleaned before they are split")
      .choices({"full", "basic", "none"});
  list.add("truncate", static_cast<bool Options::*>(&TextOptions::truncate),
           "cut texts that are too long, with one warning; false: refuse them");
}

/// Adds all options of texts, likewise.
template <class Options>
void declare_text_options(ParameterList<Options>& list) {
  declare_tokenizer_options(list);
  list.add("context", static_cast<int64_t Options::*>(&TextOptions::context),
           "most ids a text may have; 0: the text tower's own")
      .range(0, 4096);
}

/// How a network cuts its input.
struct PatchGrid {
  int64_t patch_size = 0;     ///< pixels
  int64_t position_rows = 0;  ///< of its position table, which says how many patches it was trained on
  bool whole_patches = false;
};

/// What images are made into for a network. Throws an Error of kind config for an input smaller than a patch,
/// and, where the network takes whole patches only, for one that the patch size does not divide.
ImageSpec image_spec_of(const ImageOptions& options, const PatchGrid& grid, const std::array<float, 3>& mean,
                        const std::array<float, 3>& std);

/// The same for a vision transformer.
ImageSpec image_spec_of(const ImageOptions& options, const VitConfig& tower, const std::array<float, 3>& mean,
                        const std::array<float, 3>& std);

/// The option `map_reduce`, validated.
MapReduce map_reduce_of(const ImageOptions& options);

}  // namespace patchioner
