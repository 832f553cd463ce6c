// What a stopped training goes on from: one safetensors file with weights, moments, the step and the
// settings.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
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

/// Settings that decide what comes out, by key path, as text. A state made under others is refused.
using TrainingSettings = std::map<std::string, std::string>;

/// Writes the state atomically. Throws an Error of kind io.
void save_training_state(const std::filesystem::path& file, const TextTrainer& trainer,
                         const TrainingProgress& progress, const TrainingSettings& settings);

/// Reads a state into the trainer's parameters and moments; nothing is changed when there is no such file.
/// Throws Error: config when it was made under other settings (which ones), checkpoint when it is damaged.
std::optional<TrainingProgress> load_training_state(const std::filesystem::path& file, TextTrainer& trainer,
                                                    const TrainingSettings& settings);

}  // namespace patchioner
