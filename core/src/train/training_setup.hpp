// From a resolved document to the plugins that a training uses.
#pragma once

#include <memory>
#include <patchioner/value.hpp>

#include "runtime/plugin_host.hpp"
#include "train/train_options.hpp"
#include "train/training_run.hpp"

namespace patchioner {

/// Owns what TrainingParts points to.
struct TrainingSetup {
  TrainOptions options;
  std::shared_ptr<Backbone> backbone;
  std::vector<std::shared_ptr<Gap>> gaps;
  std::shared_ptr<Decoder> decoder;
  TrainingParts parts;
};

/// Makes backbone, gap and decoder of `config` and reads its section `train`; the section `aggregator` is not
/// needed. LibTorch's generator is seeded first, so that fresh weights are repeatable. Throws what reading
/// options and loading plugins throws.
TrainingSetup make_training(const Value& config, PluginHost& host);

}  // namespace patchioner
