// AlphaCLIP's two files: OpenAI's CLIP, and the image tower that was trained on masks (spec/02 section 6).
#pragma once

#include <patchioner/plugin.hpp>

#include "alphaclip_options.hpp"
#include "backbones/clip_backbone.hpp"

namespace patchioner {

/// The text tower of `options.weights` and the image tower of `options.alpha_weights`, both read when first
/// used. With alpha_weights "none" the image tower is that of `options.weights` with weights of 0 for the
/// mask. Either way it reads four channels: red, green, blue, mask. Throws Error: config when no alpha
/// weights are named and for files of different models, checkpoint for files that are something else, and
/// what load_clip throws.
ClipBackboneParts load_alphaclip(const AlphaClipOptions& options, const PluginContext& context);

}  // namespace patchioner
