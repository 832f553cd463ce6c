#include "train/text_trainer.hpp"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "nn/linear.hpp"

namespace patchioner {

namespace {

/// Autocast for the life of the object, and the casted copies of the weights dropped at its end.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool on) : device_(device), on_(on) {
    if (on_) {
      before_ = at::autocast::is_autocast_enabled(device_);
      at::autocast::set_autocast_dtype(device_, at::kBFloat16);
      at::autocast::set_autocast_enabled(device_, true);
      at::autocast::increment_nesting();
    }
  }
  ~Autocast() {
    if (on_) {
      if (at::autocast::decrement_nesting() == 0) {
        at::autocast::clear_cache();
      }
      at::autocast::set_autocast_enabled(device_, before_);
    }
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool on_;
  bool before_ = false;
};

}  // namespace

OptimizerForm optimizer_form(const std::string& name) {
  if (name == "adamw") {
    return OptimizerForm::adamw;
  }
  if (name == "adamw_transformers") {
    return OptimizerForm::adamw_transformers;
  }
  throw Error(ErrorKind::config, "the optimizer '{}' is neither adamw nor adamw_transformers", name);
}

double usual_epsilon(OptimizerForm form) {
  return form == OptimizerForm::adamw ? 1e-8 : 1e-6;
}

double learning_rate_at(const OptimizerOptions& options, int64_t step) {
  if (step < options.warmup_steps) {
    return options.learning_rate * static_cast<double>(step) / static_cast<double>(options.warmup_steps);
  }
  const int64_t left = std::max<int64_t>(options.total_steps - step, 0);
  const int64_t decay = std::max<int64_t>(options.total_steps - options.warmup_steps, 1);
  return options.learning_rate * static_cast<double>(left) / static_cast<double>(decay);
}

TextTrainer::TextTrainer(const Decoder& decoder, std::vector<std::shared_ptr<Gap>> gaps,
                         const OptimizerOptions& options, at::ScalarType precision)
    : decoder_(decoder), gaps_(std::move(gaps)), options_(options), parameters_(decoder.parameters()) {
  if (!decoder.trainable() || parameters_.empty()) {
    throw Error(ErrorKind::config, kNotTrainable);
  }
  for (auto& [name, tensor] : parameters_) {
    tensor.requires_grad_(true);
    tensors_.push_back(tensor);
    state_.first_moments.push_back(at::zeros_like(tensor, at::MemoryFormat::Contiguous));
    state_.second_moments.push_back(at::zeros_like(tensor, at::MemoryFormat::Contiguous));
  }
  precision_ = usable_precision(precision, tensors_.front().device());
}

TextTrainer::~TextTrainer() {
  for (at::Tensor& tensor : tensors_) {
    tensor.mutable_grad() = at::Tensor();
    tensor.requires_grad_(false);
  }
}

at::Tensor TextTrainer::decoder_input(const at::Tensor& text_features, RandomSource& random) const {
  at::Tensor features = text_features / text_features.norm(2, -1, true);  // [N,D]
  for (const auto& gap : gaps_) {
    features = gap->perturb(features, random);
  }
  return features;
}

TrainStep TextTrainer::step(TrainingBatch batch, RandomSource& random) {
  for (at::Tensor& tensor : tensors_) {
    tensor.mutable_grad() = at::Tensor();
  }
  const at::Device device = tensors_.front().device();
  batch.features = batch.features.to(device);
  batch.ids = batch.ids.to(device);
  Decoder::Loss loss;
  {
    const Autocast autocast(device.type(), precision_ == at::kBFloat16);
    loss = decoder_.loss(batch, random, /*training=*/true);
  }
  TrainStep result;
  result.loss = loss.value.item<double>();
  result.accuracy = loss.accuracy;
  result.learning_rate = learning_rate_at(options_, state_.steps);
  if (!std::isfinite(result.loss)) {
    throw Error(ErrorKind::data,
                "the loss of update {} is {}; lower the learning rate, or look for captions without any word",
                state_.steps, result.loss);
  }
  loss.value.backward();
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> step_counts;
  for (at::Tensor& tensor : tensors_) {
    if (!tensor.grad().defined()) {
      tensor.mutable_grad() = at::zeros_like(tensor);
    }
    gradients.push_back(tensor.grad());
  }
  result.gradient_norm = at::stack(at::_foreach_norm(gradients, 2)).norm().item<double>();
  const at::Tensor count =
      at::scalar_tensor(static_cast<double>(state_.steps + 1), at::TensorOptions(at::kFloat));
  step_counts.assign(tensors_.size(), count.to(device));
  {
    const c10::NoGradGuard no_gradients;
    const bool decays_last = options_.form == OptimizerForm::adamw_transformers;
    // PyTorch divides by sqrt(v) / c + epsilon, c being the bias correction, transformers by (sqrt(v) +
    // epsilon) / c.
    const double correction = std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(state_.steps + 1)));
    at::_fused_adamw_(tensors_, gradients, state_.first_moments, state_.second_moments, {}, step_counts,
                      result.learning_rate, options_.beta1, options_.beta2,
                      decays_last ? 0 : options_.weight_decay,
                      decays_last ? options_.epsilon / correction : options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
    if (decays_last && options_.weight_decay > 0) {
      at::_foreach_mul_(tensors_, 1 - result.learning_rate * options_.weight_decay);
    }
  }
  ++state_.steps;
  return result;
}

void TextTrainer::restore(OptimizerState state) {
  TORCH_CHECK(state.first_moments.size() == tensors_.size() &&
              state.second_moments.size() == tensors_.size());
  state_ = std::move(state);
}

}  // namespace patchioner
