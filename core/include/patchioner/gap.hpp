// The interface of a modality-gap treatment: how an image-side feature becomes something a text-only-trained
// decoder can read.
#pragma once

#include <ATen/ATen.h>

#include <patchioner/random.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// A memory text that a feature came close to.
struct MemoryMatch {
  std::string text;       ///< as the memory has it
  double similarity = 0;  ///< cosine
  double weight = 0;      ///< its share of the softmax, in [0,1]
  int64_t row = 0;        ///< of the memory
};

/// A treatment of the modality gap. Objects are made by the plugin's factory and are immutable afterwards.
class Gap {
 public:
  virtual ~Gap() = default;

  /// D of the features that it reads, 0 when any width will do; a config is checked against it before any
  /// image is read.
  virtual int64_t dim() const { return 0; }

  /// [R,D] float32 -> [R,D] float32, at inference. Never changes its input. [any-thread]
  virtual at::Tensor to_text_space(const at::Tensor& features) const = 0;

  /// [N,D] -> [N,D] while a decoder is trained; noise draws from `random`, the others are the identity.
  /// Never changes its input. [one-thread]
  virtual at::Tensor perturb(const at::Tensor& text_features, RandomSource& random) const {
    (void)random;
    return text_features;
  }

  /// For each of the R features the `count` memory texts with the largest weights, descending; empty when
  /// there is no memory.
  virtual std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count) const {
    (void)features;
    (void)count;
    return {};
  }

  /// Fingerprint of the text side that the memory was built with (Backbone::text_fingerprint), empty when
  /// unknown or without one.
  virtual std::string text_fingerprint() const { return {}; }
};

}  // namespace patchioner
