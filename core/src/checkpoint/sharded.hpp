// A checkpoint in several files: `model.safetensors.index.json` or `pytorch_model.bin.index.json`, whose
// "weight_map" says which file beside it holds which tensor.
#pragma once

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {

/// Whether the text is a JSON object that speaks of a weight map.
bool looks_like_shard_index(std::string_view text);

/// Opens all shards and checks that they hold what the map says. Throws an Error of kind checkpoint or io.
std::shared_ptr<const TensorSource> open_sharded(std::shared_ptr<const MappedFile> index);

}  // namespace patchioner
