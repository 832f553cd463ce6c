// One update after the other of a decoder that learns from texts alone: the same code for every decoder that
// can be trained, for the command `train` and for golden cases.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <patchioner/decoder.hpp>
#include <patchioner/gap.hpp>
#include <patchioner/random.hpp>
#include <string>
#include <utility>
#include <vector>

namespace patchioner {

/// Two forms of AdamW, which differ in what keeps the divisor from 0 and in when the decay comes.
enum class OptimizerForm {
  adamw,               ///< PyTorch's: the weight decays first, epsilon is added behind the bias correction
  adamw_transformers,  ///< of transformers 4 (spec/04 section 9.6): epsilon before it, the decay comes last
};

/// "adamw" or "adamw_transformers"; anything else is an Error of kind config.
OptimizerForm optimizer_form(const std::string& name);

/// The epsilon that goes with a form: PyTorch's 1e-8, or 1e-6 of transformers.
double usual_epsilon(OptimizerForm form);

/// AdamW and its learning rate over time (spec/01 section 6.2).
struct OptimizerOptions {
  OptimizerForm form = OptimizerForm::adamw;
  double learning_rate = 1e-5;  ///< after the warm-up
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< decoupled, on every parameter
  int64_t warmup_steps = 1000;
  int64_t total_steps = 0;  ///< where the rate reaches 0
};

/// The learning rate of the update `step`, counted from 0: linear from 0 over the warm-up, then linear to 0
/// at total_steps. The first update of a warm-up has rate 0, as in the reference.
double learning_rate_at(const OptimizerOptions& options, int64_t step);

/// What one update was like.
struct TrainStep {
  double loss = 0;           ///< before the update
  double accuracy = 0;       ///< share of the labels that the arg-max hit, before the update
  double learning_rate = 0;  ///< used by the update
  double gradient_norm = 0;  ///< over all parameters; nothing is clipped
};

/// Everything that an update leaves behind besides the weights.
struct OptimizerState {
  std::vector<at::Tensor> first_moments;  ///< in the order of the decoder's parameters
  std::vector<at::Tensor> second_moments;
  int64_t steps = 0;  ///< updates done
};

/// What is said of a decoder that cannot be trained.
inline constexpr const char* kNotTrainable =
    "this decoder cannot be trained; choose plain, viecap or clipcap (meacap reads viecap's weights: train "
    "viecap)";

/// Trains `decoder` in place. Both outlive the trainer. [one-thread]
class TextTrainer {
 public:
  /// Throws an Error of kind config for a decoder that cannot be trained. With `precision` bfloat16 matrix
  /// products of the forward and backward pass are computed in it (autocast) where the processor has it;
  /// weights and moments stay float32.
  TextTrainer(const Decoder& decoder, std::vector<std::shared_ptr<Gap>> gaps, const OptimizerOptions& options,
              at::ScalarType precision = at::kFloat);
  ~TextTrainer();
  TextTrainer(const TextTrainer&) = delete;
  TextTrainer& operator=(const TextTrainer&) = delete;

  /// Text features [N,D] as the decoder is fed with them: unit length, then every gap's perturbation in
  /// order.
  at::Tensor decoder_input(const at::Tensor& text_features, RandomSource& random) const;

  /// One update on a batch whose features come from decoder_input. Throws an Error of kind data when the loss
  /// is not finite; the weights are as before then.
  TrainStep step(TrainingBatch batch, RandomSource& random);

  const std::vector<std::pair<std::string, at::Tensor>>& parameters() const { return parameters_; }
  const OptimizerState& state() const { return state_; }
  /// Goes on from a state whose tensors fit the parameters.
  void restore(OptimizerState state);

 private:
  const Decoder& decoder_;
  std::vector<std::shared_ptr<Gap>> gaps_;
  OptimizerOptions options_;
  at::ScalarType precision_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  std::vector<at::Tensor> tensors_;  // the same without names
  OptimizerState state_;
};

}  // namespace patchioner
