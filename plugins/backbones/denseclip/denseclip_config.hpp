// The YAML that the reference describes a DenseCLIP with (spec/02 section 4.1): sizes, head counts, where the
// checkpoint lies, normalisation.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "nn/clip_text.hpp"
#include "nn/vit.hpp"

namespace patchioner {

/// What the file says; what it is silent about is unset.
struct DenseClipConfig {
  using Number = std::optional<int64_t>;
  std::string file;         ///< its path, for messages
  std::string checkpoint;   ///< of checkpoint.path, relative ones start at the file's folder; or empty
  Number image_resolution;  ///< of model.vision, pixels
  Number vision_layers;
  Number vision_width;
  Number vision_patch_size;
  Number vision_dim;      ///< model.vision.embed_dim
  Number context_length;  ///< of model.text
  Number vocab_size;
  Number transformer_width;
  Number transformer_heads;
  Number transformer_layers;
  Number text_dim;  ///< model.text.embed_dim
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> std;
};

/// Throws Error: io, or config for what is no such file, a number that is none, and a model with a ResNet.
DenseClipConfig read_denseclip_config(const std::string& file);

/// Throws an Error of kind config that names both sides when the file contradicts a tower of `weights` (their
/// description).
void check_image_side(const DenseClipConfig& config, const VitConfig& tower, const std::string& weights);
void check_text_side(const DenseClipConfig& config, const ClipTextConfig& tower, const std::string& weights);

}  // namespace patchioner
