// A whole training: captions, their features, epochs, checkpoints, curves, and going on after a stop or a
// kill.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/decoder.hpp>
#include <patchioner/gap.hpp>
#include <string>
#include <vector>

#include "train/text_trainer.hpp"
#include "train/train_options.hpp"
#include "train/training_state.hpp"

namespace patchioner {

/// The plugins that a training uses, and what identifies them.
struct TrainingParts {
  const Backbone* backbone = nullptr;
  std::vector<std::shared_ptr<Gap>> gaps;
  const Decoder* decoder = nullptr;
  at::ScalarType precision = at::kFloat;
  std::string config;         ///< the resolved document as YAML, to be stored; may be empty
  TrainingSettings settings;  ///< of the plugins, as far as they decide what comes out
};

struct TrainingOutcome {
  bool finished = false;  ///< false: a stop was asked for, and the state has been saved
  int64_t steps = 0;      ///< updates done, those of earlier processes included
  int64_t total_steps = 0;
  std::vector<EpochRecord> epochs;
  std::filesystem::path checkpoint;  ///< of the last finished epoch; empty before the first one's end
};

/// Called after every update; for tests.
using TrainingObserver = std::function<void(int64_t step, const TrainStep& values)>;

/// Runs, or goes on with, the training that `options` describes. In options.output it writes
///   <prefix>-<epoch>.pt            the decoder after each epoch (from 000), whatever it needs beside
///   <prefix>_epoch_losses.csv      epoch,loss,accuracy
///   <prefix>_steps.csv             a line an update
///   <prefix>_config.yaml           the document that describes the run
///   <prefix>_state.safetensors     where it stands; a later call with the same settings goes on from there,
///   and
///                                  ends with the very bits that an uninterrupted run gives (same machine,
///                                  same number of threads)
///   <prefix>_train.lock            while it runs: a second training with this prefix is refused
///   events.out.tfevents...         for TensorBoard
///   text_features/                 the encoded captions
/// `restart` begins anew and removes what an earlier run with this prefix left. Throws Error: config
/// (settings, batch larger than the data, a state of other settings), data (captions), io.
TrainingOutcome run_training(const TrainingParts& parts, const TrainOptions& options, bool restart,
                             const TrainingObserver& observer = {});

}  // namespace patchioner
