// What weights do not say - head counts, activation, normalisation - carried in the metadata of files that
// were converted, so that they need no configuration file beside them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "backbones/clip_settings.hpp"

namespace patchioner {

/// The metadata key under which settings stand, as the text of a JSON object.
inline constexpr const char* kSettingsKey = "patchioner.settings";

/// The settings that a checkpoint carries; nothing when it carries none. Throws an Error of kind checkpoint
/// when they are damaged.
std::optional<ClipSettings> stored_clip_settings(const StateDict& checkpoint);
std::optional<int64_t> stored_heads(const StateDict& checkpoint);  ///< of a DINO or DINOv2

/// The text to store. Settings that are not known are left out.
std::string settings_text(const ClipSettings& settings);
std::string settings_text(int64_t heads);

/// "gelu" ... as options name an activation; only those that a CLIP can have.
std::string_view activation_name(Activation activation);

}  // namespace patchioner
