// The random numbers of a case instead of a generator's.
#pragma once

#include <patchioner/error.hpp>
#include <patchioner/random.hpp>
#include <vector>

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

/// Uniform numbers of a case, handed out one after the other.
class GivenDraws final : public RandomSource {
 public:
  explicit GivenDraws(std::vector<double> draws) : draws_(std::move(draws)) {}
  at::Tensor normal(at::IntArrayRef) override {
    throw Error(ErrorKind::data, "the case holds uniform numbers only, but normal ones were drawn");
  }
  at::Tensor uniform(at::IntArrayRef shape) override {
    at::Tensor values = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < values.numel(); ++i) {
      if (next_ == draws_.size()) {
        throw Error(ErrorKind::data, "the case holds {} uniform numbers, but more were drawn", draws_.size());
      }
      values.flatten()[i] = draws_[next_++];
    }
    return values;
  }
  /// Whether every number was drawn.
  bool exhausted() const { return next_ == draws_.size(); }

 private:
  std::vector<double> draws_;
  size_t next_ = 0;
};

}  // namespace patchioner
