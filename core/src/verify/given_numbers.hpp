// The random numbers of a case instead of a generator's.
#pragma once

#include <patchioner/error.hpp>
#include <patchioner/random.hpp>

namespace patchioner {

class GivenNumbers final : public RandomSource {
 public:
  explicit GivenNumbers(at::Tensor normal, at::Tensor uniform = {})
      : normal_(std::move(normal)), uniform_(std::move(uniform)) {}
  at::Tensor normal(at::IntArrayRef shape) override { return normal_.reshape(shape); }
  at::Tensor uniform(at::IntArrayRef shape) override {
    if (!uniform_.defined()) {
      throw Error(ErrorKind::data, "the case holds normal numbers only, but uniform ones were drawn");
    }
    return uniform_.reshape(shape);
  }

 private:
  at::Tensor normal_, uniform_;
};

}  // namespace patchioner
