// Vectors of names, kept: captions name the same things again and again, and a text tower is slow.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace patchioner {

/// Remembers the vectors of so many names. [any-thread]
class NameVectors {
 public:
  /// Vectors [N,D] of any length of names.
  using Encode = std::function<at::Tensor(std::span<const std::string> names)>;

  /// Puts in vectors [N,D] that are known already.
  void remember(std::span<const std::string> names, const at::Tensor& vectors);

  /// Vectors [N,D] float32 on the CPU; `encode` is called once, for the names that are not known, if any.
  at::Tensor of(std::span<const std::string> names, const Encode& encode);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, at::Tensor> vectors_;  // [D]
};

}  // namespace patchioner
