// Captions made ready for training: ids on one side, text features on the other.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <patchioner/backbone.hpp>
#include <patchioner/decoder.hpp>
#include <patchioner/gap.hpp>
#include <string>
#include <vector>

#include "train/train_options.hpp"

namespace patchioner {

/// Captions as the decoder is trained on them (Decoder::training_text), tokenised for it.
struct TrainingCaptions {
  std::vector<std::string> texts;
  std::vector<std::string> image_ids;              ///< one a caption; empty unless every caption has one
  std::vector<std::vector<std::string>> entities;  ///< one list a caption; empty when the decoder reads none
  at::Tensor ids;                                  ///< [N,T] int64
  int64_t given = 0;   ///< captions that the file gave, those included that are left out
  std::string digest;  ///< of the file, the ids and the entities
};

struct TrainingData {
  at::Tensor ids;                                  ///< [N,T] int64
  at::Tensor features;                             ///< [N,D] float32
  std::vector<std::vector<int64_t>> images;        ///< with mix_captions: the captions of each image
  std::vector<int64_t> image_of;                   ///< with mix_captions: the image of each caption
  std::vector<std::vector<std::string>> entities;  ///< of each caption; empty for a decoder that reads none

  int64_t count() const { return ids.size(0); }

  /// Ids and entities of the captions `rows` [B] int64; features are left to the caller.
  TrainingBatch texts(const at::Tensor& rows) const;

  /// For each caption a random one of the same image, itself included: [N] int64.
  at::Tensor random_partners(at::Generator& generator) const;
};

/// Reads, finds the entities of captions that come without when the decoder reads them, and tokenises.
/// Captions that the tokenizer refuses are left out. Throws Error: io, data, config
/// (mix_captions without image ids, fewer captions than a batch).
TrainingCaptions read_training_captions(const Decoder& decoder, const TrainOptions& options);

/// Text features of the captions, sent through the gaps with im_proj. Captions that the text side refuses are
/// left out, and a warning says how many are missing by now. `conditions`: see TextEncodingOptions. Nothing
/// when a stop was asked for. Throws Error: io, config (fewer captions than a batch).
std::optional<TrainingData> encode_training_captions(TrainingCaptions captions, const Backbone& backbone,
                                                     const std::vector<std::shared_ptr<Gap>>& gaps,
                                                     const TrainOptions& options,
                                                     const std::string& conditions);

}  // namespace patchioner
