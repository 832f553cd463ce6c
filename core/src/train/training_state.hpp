// What a stopped training goes on from: one safetensors file with weights, moments, the step and the
// settings.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/text_trainer.hpp"

namespace patchioner {

/// One finished epoch: a line of `<prefix>_epoch_losses.csv`.
struct EpochRecord {
  int64_t epoch = 0;
  double loss = 0;      ///< mean over its batches
  double accuracy = 0;  ///< mean over its batches
};

/// Where a training stands. Order, noise and dropout need no state of their own: they are drawn from
/// generators that are seeded from the seed and the epoch or step.
struct TrainingProgress {
  int64_t step = 0;           ///< updates done
  double epoch_loss_sum = 0;  ///< over the batches of the unfinished epoch
  double epoch_accuracy_sum = 0;
  std::vector<EpochRecord> epochs;
};

/// Settings that decide what comes out, by key path, as text. A state made under others is refused. The value
/// of a key that ends in "digest" is not shown, since it tells nobody anything.
constexpr std::string_view kDigestEnding = ".digest";
constexpr const char* kCaptionsDigest = "captions.digest";
constexpr const char* kTextEncoderDigest = "backbone.text.digest";
using TrainingSettings = std::map<std::string, std::string>;

/// Writes the state atomically. Throws an Error of kind io.
void save_training_state(const std::filesystem::path& file, const TextTrainer& trainer,
                         const TrainingProgress& progress, const TrainingSettings& settings);

/// Throws what load_training_state throws about the settings of a state, without reading more of it; nothing
/// when there is no such file.
void check_training_state(const std::filesystem::path& file, const TrainingSettings& settings);

/// Reads a state into the trainer's parameters and moments; nothing is changed when there is no such file.
/// Throws Error: config when it was made under other settings (which ones), checkpoint when it is damaged.
std::optional<TrainingProgress> load_training_state(const std::filesystem::path& file, TextTrainer& trainer,
                                                    const TrainingSettings& settings);

}  // namespace patchioner
