// The section `train` of a config.
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>

namespace patchioner {

/// Defaults are those of the reference (spec/01 section 6.2). The number of ids a caption and the label
/// smoothing belong to the decoder.
struct TrainOptions {
  std::string data;
  std::string format = "auto";
  std::string output = "runs/train";
  std::string prefix = "decoder";
  int64_t epochs = 10;
  int64_t batch_size = 64;
  double lr = 1e-5;
  int64_t warmup_steps = 1000;
  double weight_decay = 0.01;
  std::string optimizer = "adamw";
  double epsilon = 0;  ///< 0: the optimizer's usual one
  int64_t seed = 42;
  int64_t limit = 0;
  bool mix_captions = false;
  bool im_proj = false;
  int64_t save_every_steps = 1000;
  double save_every_minutes = 5;
  std::string text_features;
  int64_t encode_batch = 256;
  bool tensorboard = true;
};

void declare(ParameterList<TrainOptions>& list);

/// The section `train` of a resolved document with every option, defaults filled in and paths made absolute.
/// Throws an Error of kind config that says where.
Value complete_train_section(const Value& config);

/// The same as options. Errors as complete_train_section.
TrainOptions read_train_options(const Value& config);

}  // namespace patchioner
