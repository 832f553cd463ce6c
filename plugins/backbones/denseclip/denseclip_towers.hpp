// The two towers of a DenseCLIP: out of its segmentation or detection checkpoint, or the text tower out of
// OpenAI's CLIP, whose it is (spec/02 sections 4.1 and 4.3).
#pragma once

#include <patchioner/plugin.hpp>
#include <string>

#include "backbones/backbone_options.hpp"
#include "backbones/clip_backbone.hpp"

namespace patchioner {

/// What the backbone `denseclip` can be told (spec/02 section 15).
struct DenseClipOptions : ImageOptions, TextOptions {
  std::string weights;
  std::string config;
  std::string class_embedding = "once";
  std::string text_weights;
  bool normalize_text = true;
  int64_t heads = 0;
  int64_t text_heads = 0;
};

/// What a backbone is made of, and the options completed by the configuration file.
struct LoadedDenseClip {
  DenseClipOptions options;
  ClipBackboneParts parts;
};

/// Throws Error: config for options and a configuration file that do not fit the weights, io for an absent
/// file, checkpoint for what is no DenseCLIP with a vision transformer and for missing tensors.
LoadedDenseClip load_denseclip(DenseClipOptions options, const PluginContext& context);

}  // namespace patchioner
