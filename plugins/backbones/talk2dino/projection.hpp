// Loads Talk2DINO's projection: its weights, and the YAML that says what they do not (spec/03 section 4.2).
#pragma once

#include <memory>
#include <patchioner/plugin.hpp>
#include <string>

#include "backbones/text_projection.hpp"
#include "checkpoint/state_dict.hpp"
#include "talk2dino_options.hpp"

namespace patchioner {

/// A projection and what identifies it.
struct LoadedProjection {
  std::shared_ptr<const TextProjection> projection;
  std::string fingerprint;  ///< "projection:<SHA-256 of the weights>,act=tanh,hidden_layers=1"
};

/// Options go before the YAML, the YAML before its defaults. Throws Error: config when activation or hidden
/// layers contradict the weights or cannot be found out, checkpoint for missing and mis-shaped tensors.
LoadedProjection load_projection(const Talk2DinoOptions& options, const PluginContext& context);

}  // namespace patchioner
