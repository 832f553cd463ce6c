// The configuration files that belong beside a CLIP's weights, written from the weights' shapes and the
// settings that the weights do not say (spec/02 sections 5 and 12).
#pragma once

#include <string>

#include "backbones/clip_names.hpp"
#include "backbones/clip_settings.hpp"

namespace patchioner {

/// transformers' config.json of a CLIPModel, or of the one tower that there is. Throws an Error of kind
/// config when a head count or an activation is not known.
std::string hugging_face_clip_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings);

/// open_clip_config.json. Errors as above, and of kind config for towers that open_clip describes by one
/// value where these have two.
std::string open_clip_config(const ClipCheckpoint& checkpoint, const ClipSettings& settings);

/// Whether OpenAI's own files imply these settings: QuickGELU, heads of 64, CLIP's epsilon and pixels.
bool openai_settings(const ClipCheckpoint& checkpoint, const ClipSettings& settings);

/// Side of the input in pixels that the position table was made for.
int64_t native_resolution(const ClipCheckpoint& checkpoint);

}  // namespace patchioner
