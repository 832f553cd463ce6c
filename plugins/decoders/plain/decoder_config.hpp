// The settings file that lies beside the reference's decoder checkpoints.
#pragma once

#include <filesystem>

#include "nn/gpt2_weights.hpp"

namespace patchioner {

/// Sets the fields of `config` that the file names, and `text_fingerprint` (Decoder::text_fingerprint) when
/// it records one. The file is `decoder_config.pkl` (its plain values are read, no code is run) or the same
/// as JSON. Throws Error: io, data or checkpoint when it is neither, config when it asks for a GPT-2 that
/// this one is not (another activation, an untied head, unscaled attention).
void read_decoder_config(const std::filesystem::path& file, Gpt2Config& config,
                         std::string& text_fingerprint);

/// Where the settings of a checkpoint are written: `<stem>_config.json` beside it, so that decoders of
/// different sizes may lie in one folder.
std::filesystem::path decoder_config_of(const std::filesystem::path& weights);

/// The settings file that lies beside a checkpoint: that one, else the folder's decoder_config.json; empty
/// when there is neither.
std::filesystem::path find_decoder_config(const std::filesystem::path& weights);

/// The JSON form of the same, for write_file; an empty fingerprint is left out.
std::string decoder_config_json(const Gpt2Config& config, const std::string& text_fingerprint);

}  // namespace patchioner
