// What the weights of a CLIP do not say: head counts, activation, epsilon, normalisation. It comes from the
// configuration file beside the weights (transformers' config.json, open_clip_config.json, timm's
// config.json), from options, or from the file being OpenAI's own.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "backbones/clip_names.hpp"
#include "nn/linear.hpp"

namespace patchioner {

/// What is set by options; the rest is found out.
struct ClipChoices {
  std::string format = "auto";   ///< auto, openai, open_clip, hugging_face, timm
  std::filesystem::path config;  ///< configuration file; empty: the one beside the weights, if there is one
  std::string activation = "auto";  ///< auto, quick_gelu, gelu, gelu_tanh
  int64_t heads = 0;                ///< of the image tower; 0: found out
  int64_t text_heads = 0;           ///< of the text tower; 0: found out
  std::string option_prefix = {};   ///< of these options' names in messages ("clip_")
};

/// The settings of one model. Head counts are undefined where they could not be found out; asking for them is
/// then an error.
struct ClipSettings {
  std::optional<int64_t> image_heads;
  std::optional<int64_t> text_heads;
  std::optional<Activation> image_activation;
  std::optional<Activation> text_activation;
  double image_epsilon = 1e-5;
  double text_epsilon = 1e-5;
  std::optional<int64_t> image_size;  ///< pixels
  std::optional<int64_t> end_id;      ///< see ClipTextConfig::end_id
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> std;
};

/// Reads a configuration file of any of the three origins, told by content. Throws Error: io, or config when
/// the file is none of them or describes a model that is not CLIP's plain architecture (spec/02 section 5).
ClipSettings read_clip_settings(const std::filesystem::path& file);

/// The settings of a checkpoint: options first, then the configuration file, then what OpenAI's files imply
/// (QuickGELU, heads of 64).
ClipSettings find_clip_settings(const ClipCheckpoint& checkpoint, const ClipChoices& choices);

/// "gelu" ... as options and configuration files name activations; unknown names throw an Error of kind
/// config.
Activation activation_from(const std::string& name);

}  // namespace patchioner
