// Captions through a backbone's text side, remembered on disk: a second training on the same captions, or one
// that was stopped, does not encode again.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <patchioner/backbone.hpp>
#include <span>
#include <string>
#include <vector>

namespace patchioner {

struct TextEncodingOptions {
  std::filesystem::path cache;  ///< folder for the parts; empty: nothing is kept
  int64_t batch = 256;          ///< texts that pass the text side together
  int64_t part = 1024;          ///< texts in a file of the cache; what a kill may lose
  std::string conditions;       ///< what decides about features beside the fingerprint: the precision ...
};

struct EncodedTexts {
  at::Tensor
      features;  ///< [N,D] float32, as the text side gives them (not normalised), of the texts that were kept
  std::vector<int64_t> kept;  ///< positions of those texts, ascending; a text that the text side refuses (too
                              ///< long) is left out
  bool complete = true;       ///< false when a stop was asked for; then only whole parts have been remembered
};

/// Encodes `texts`. Parts are files `<key>.safetensors`, the key being a digest of the text side's
/// fingerprint, the conditions and the part's texts; a backbone without a fingerprint is never remembered. A
/// damaged part is encoded again, with a warning. Throws Error: config for a backbone without a text side, io
/// when the cache cannot be written.
EncodedTexts encode_texts(const Backbone& backbone, std::span<const std::string> texts,
                          const TextEncodingOptions& options);

}  // namespace patchioner
