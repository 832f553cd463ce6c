// The settings file that lies beside the reference's decoder checkpoints.
#pragma once

#include <filesystem>

#include "nn/gpt2_weights.hpp"

namespace patchioner {

/// Sets the fields of `config` that the file names. The file is `decoder_config.pkl` (its plain values are
/// read, no code is run) or the same as JSON. Throws Error: io, data or checkpoint when it is neither, config
/// when it asks for a GPT-2 that this one is not (another activation, an untied head, unscaled attention).
void read_decoder_config(const std::filesystem::path& file, Gpt2Config& config);

/// The JSON form of the same, for write_file.
std::string decoder_config_json(const Gpt2Config& config);

}  // namespace patchioner
