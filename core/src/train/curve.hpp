// The curves of a training as CSV.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "train/text_trainer.hpp"
#include "train/training_state.hpp"

namespace patchioner {

/// A line an update: step,epoch,learning_rate,loss,accuracy,gradient_norm. Appended to while the training
/// goes on. [one-thread]
class StepCurve {
 public:
  /// Keeps the lines of the first `steps_done` updates of an existing file and goes on behind them. Throws an
  /// Error of kind io.
  StepCurve(const std::filesystem::path& file, int64_t steps_done);

  void add(int64_t step, int64_t epoch, const TrainStep& values);
  /// Hands all lines to the system. Throws an Error of kind io when that fails (disk full).
  void flush();

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

/// The whole file of epochs: epoch,loss,accuracy (the reference's `<prefix>_epoch_losses.csv`), atomically.
void write_epoch_curve(const std::filesystem::path& file, const std::vector<EpochRecord>& epochs);

}  // namespace patchioner
