// Where a training draws its random numbers from.
#pragma once

#include <ATen/ATen.h>

#include <utility>

namespace patchioner {

/// A stream of random tensors. A training draws them from a seeded generator; golden cases and tests hand in
/// the numbers, so that the same code can be checked to the digit. [one-thread]
class RandomSource {
 public:
  virtual ~RandomSource() = default;

  /// float32, standard normal, of that shape, on the CPU.
  virtual at::Tensor normal(at::IntArrayRef shape) = 0;

  /// float32, uniform in [0,1), of that shape, on the CPU.
  virtual at::Tensor uniform(at::IntArrayRef shape) = 0;
};

/// Draws from a LibTorch generator.
class GeneratorSource final : public RandomSource {
 public:
  /// The generator is shared, not copied: its state goes on with every draw. It must be of the CPU.
  explicit GeneratorSource(at::Generator generator) : generator_(std::move(generator)) {}

  at::Tensor normal(at::IntArrayRef shape) override {
    return at::randn(shape, generator_, at::TensorOptions(at::kFloat));
  }
  at::Tensor uniform(at::IntArrayRef shape) override {
    return at::rand(shape, generator_, at::TensorOptions(at::kFloat));
  }

 private:
  at::Generator generator_;
};

}  // namespace patchioner
