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

struct TrainingData {
  at::Tensor ids;                            ///< [N,T] int64
  at::Tensor features;                       ///< [N,D] float32
  std::vector<std::vector<int64_t>> images;  ///< with mix_captions: the captions of each image
  std::vector<int64_t> image_of;             ///< with mix_captions: the image of each caption
  std::string digest;                        ///< of the captions and their ids

  int64_t count() const { return ids.size(0); }

  /// For each caption a random one of the same image, itself included: [N] int64.
  at::Tensor random_partners(at::Generator& generator) const;
};

/// Reads, tokenises and encodes. Captions that the tokenizer or the text side refuse are left out, with a
/// warning that says how many. Nothing when a stop was asked for. Throws Error: io, data, config (widths that
/// differ, mix_captions without image ids).
std::optional<TrainingData> prepare_training_data(const Backbone& backbone, const Decoder& decoder,
                                                  const std::vector<std::shared_ptr<Gap>>& gaps,
                                                  const TrainOptions& options);

}  // namespace patchioner
