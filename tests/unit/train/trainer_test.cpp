#include <ATen/CPUGeneratorImpl.h>

#include "test_world.hpp"
#include "train/text_trainer.hpp"

namespace patchioner {
namespace {

class FrozenDecoder final : public Decoder {
 public:
  int64_t dim() const override { return 4; }
  std::vector<Caption> decode(const DecodeInput&) const override { return {}; }
};

/// A decoder with one number, whose loss is (x - 3)^2 / 2: gradient x - 3.
class OneNumberDecoder final : public Decoder {
 public:
  at::Tensor x = at::ones({1}, at::kFloat);
  double scale = 1;
  int64_t dim() const override { return 1; }
  std::vector<Caption> decode(const DecodeInput&) const override { return {}; }
  bool trainable() const override { return true; }
  Loss loss(const TrainingBatch&, RandomSource&, bool) const override {
    return {at::square(x - 3).sum() * 0.5 * scale, 0.25};
  }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override { return {{"x", x}}; }
};

TEST_CASE("the learning rate rises from 0 over the warm-up and falls linearly to 0") {
  OptimizerOptions options;
  options.learning_rate = 1;
  options.warmup_steps = 4;
  options.total_steps = 12;
  CHECK(learning_rate_at(options, 0) == 0.0);
  CHECK(learning_rate_at(options, 1) == 0.25);
  CHECK(learning_rate_at(options, 4) == 1.0);
  CHECK(learning_rate_at(options, 8) == 0.5);
  CHECK(learning_rate_at(options, 12) == 0.0);
  CHECK(learning_rate_at(options, 20) == 0.0);
  options.warmup_steps = 0;
  CHECK(learning_rate_at(options, 0) == 1.0);
}

TEST_CASE("a warm-up that is longer than the training never gives a negative rate") {
  OptimizerOptions options;
  options.learning_rate = 1;
  options.warmup_steps = 10;
  options.total_steps = 5;
  CHECK(learning_rate_at(options, 4) == 0.4);
}

TEST_CASE("an update is AdamW's: decoupled decay, then the step of the corrected moments") {
  // By hand: lr 0.1, x 1, gradient -2. Decay: 1 - 0.1 * 0.01 = 0.999. First corrected moments -2 and 4: + 0.1
  // * 2 / 2 = 1.099.
  const OneNumberDecoder decoder;
  OptimizerOptions options;
  options.learning_rate = 0.1;
  options.warmup_steps = 0;
  options.total_steps = 1000000;
  TextTrainer trainer(decoder, {}, options);
  GeneratorSource random(at::detail::getDefaultCPUGenerator());
  const TrainStep step = trainer.step({at::zeros({1, 1}), at::zeros({1, 1}, at::kLong), {}}, random);
  CHECK(step.loss == doctest::Approx(2.0));
  CHECK(step.accuracy == 0.25);
  CHECK(step.gradient_norm == doctest::Approx(2.0));
  CHECK(decoder.x.item<double>() == doctest::Approx(1.099).epsilon(1e-6));
}

TEST_CASE("AdamW of transformers adds epsilon before the bias correction and decays last") {
  // By hand: first moment -0.2, root of the second 0.0632456, epsilon 0.1: + 0.1 * 0.0316228 / 0.1 * 0.2 /
  // 0.1632456 = 1.0387426, then times 1 - 0.1 * 0.01.
  const OneNumberDecoder decoder;
  OptimizerOptions options;
  options.form = optimizer_form("adamw_transformers");
  options.epsilon = 0.1;
  options.learning_rate = 0.1;
  options.warmup_steps = 0;
  options.total_steps = 1000000;
  TextTrainer trainer(decoder, {}, options);
  GeneratorSource random(at::detail::getDefaultCPUGenerator());
  trainer.step({at::zeros({1, 1}), at::zeros({1, 1}, at::kLong), {}}, random);
  CHECK(decoder.x.item<double>() == doctest::Approx(1.0377039).epsilon(1e-6));
  CHECK(usual_epsilon(options.form) == 1e-6);
  CHECK(usual_epsilon(optimizer_form("adamw")) == 1e-8);
}

TEST_CASE("a loss that is not finite stops the training and leaves the weights alone") {
  OneNumberDecoder decoder;
  decoder.scale = std::numeric_limits<double>::infinity();
  TextTrainer trainer(decoder, {}, OptimizerOptions());
  GeneratorSource random(at::detail::getDefaultCPUGenerator());
  const std::string message = refusal_of(ErrorKind::data, [&] {
    trainer.step({at::zeros({1, 1}), at::zeros({1, 1}), {}}, random);
  });
  CHECK(contains(message, "the loss of update 0 is inf"));
  CHECK(decoder.x.item<double>() == 1.0);
}

TEST_CASE("a decoder that cannot be trained is refused") {
  const FrozenDecoder decoder;
  CHECK(contains(refusal_of(ErrorKind::config, [&] { TextTrainer(decoder, {}, OptimizerOptions()); }),
                 "cannot be trained"));
}

TEST_CASE("parameters are plain tensors again when the trainer is gone") {
  const OneNumberDecoder decoder;
  {
    TextTrainer trainer(decoder, {}, OptimizerOptions());
    CHECK(decoder.x.requires_grad());
  }
  CHECK_FALSE(decoder.x.requires_grad());
}

TEST_CASE("bfloat16 products train nearly as float32 ones, and leave float32 weights") {
  // On a processor without bfloat16 both are float32.
  const TrainingFolder folder;
  const at::Tensor features = DigestBackbone().encode_text(small_captions());
  std::vector<double> losses;
  for (const at::ScalarType precision : {at::kFloat, at::kBFloat16}) {
    const auto decoder = small_decoder(folder.path());
    std::vector<size_t> dropped;
    const at::Tensor ids = decoder->training_ids(small_captions(), dropped);
    OptimizerOptions options;
    options.learning_rate = 0.01;
    options.warmup_steps = 0;
    options.total_steps = 100;
    TextTrainer trainer(*decoder, {}, options, precision);
    GeneratorSource random(at::detail::getDefaultCPUGenerator());
    TrainStep last;
    for (int step = 0; step < 5; ++step) {
      at::manual_seed(static_cast<uint64_t>(step));
      last = trainer.step({features / features.norm(2, 1, true), ids, {}}, random);
    }
    losses.push_back(last.loss);
    CHECK((decoder->parameters().front().second.scalar_type() == at::kFloat));
  }
  CHECK(losses[1] == doctest::Approx(losses[0]).epsilon(0.01));
}

TEST_CASE("the decoder is fed with unit vectors, perturbed by the gaps in order") {
  class Doubling final : public Gap {
   public:
    at::Tensor to_text_space(const at::Tensor& x) const override { return x; }
    at::Tensor perturb(const at::Tensor& x, RandomSource&) const override { return x * 2; }
  };
  class PlusOne final : public Gap {
   public:
    at::Tensor to_text_space(const at::Tensor& x) const override { return x; }
    at::Tensor perturb(const at::Tensor& x, RandomSource&) const override { return x + 1; }
  };
  const OneNumberDecoder decoder;
  TextTrainer trainer(decoder, {std::make_shared<Doubling>(), std::make_shared<PlusOne>()},
                      OptimizerOptions());
  GeneratorSource random(at::make_generator<at::CPUGeneratorImpl>(1));
  const at::Tensor input = trainer.decoder_input(at::tensor({3.0F, 4.0F}).view({1, 2}), random);
  CHECK(at::allclose(input, at::tensor({2.2F, 2.6F}).view({1, 2})));
}

}  // namespace
}  // namespace patchioner
