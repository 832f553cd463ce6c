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

/// Remembers the vectors of a vocabulary, and those of so many other names. [any-thread]
class NameVectors {
 public:
  /// Vectors [N,D] of any length of names.
  using Encode = std::function<at::Tensor(std::span<const std::string> names)>;

  /// When `most` other names are remembered, all of these are forgotten before the next one is: by default
  /// 32 MB of vectors 512 wide.
  explicit NameVectors(size_t most = 16384) : most_(most) {}

  /// Takes a vocabulary whose vectors [N,D] are known already, however long; it is never forgotten.
  void keep(std::span<const std::string> vocabulary, const at::Tensor& vectors);

  /// Vectors [N,D] float32 on the CPU; `encode` is called once, for the names that are not known, if any.
  at::Tensor of(std::span<const std::string> names, const Encode& encode);

 private:
  at::Tensor known(const std::string& name) const;  // [D], undefined when it is not

  size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> rows_;       // of the vocabulary's names in vectors_
  at::Tensor vectors_;                                  // [N,D]
  std::unordered_map<std::string, at::Tensor> others_;  // [D]
};

}  // namespace patchioner
