// What CLIP-S and PAC-S of many files of captions have in common: models, and what these made of the same
// images and references.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <utility>

#include "scoring/scoring_model.hpp"

namespace patchioner {

/// Kept by whoever scores one file of captions after the other. Whole lists of embeddings are remembered, not
/// single ones: what a model makes of a text depends in the last bit on those beside it, and numbers must not
/// depend on what was scored before. [one-thread]
class ScoringMemory {
 public:
  /// Lists are let go, the longest unused first, when together they are larger than `most_bytes`.
  explicit ScoringMemory(size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}

  /// The model of that name on that device, loaded when it is none of the last two. Takes and throws what
  /// ScoringModel does.
  const ScoringModel& model(const std::string& name, const std::string& device);

  /// [N,D], what `make` gives, or gave when it was last asked for under this key.
  at::Tensor embeddings(const std::string& key, const std::function<at::Tensor()>& make);

 private:
  static constexpr size_t kMostBytes = size_t{512} << 20;

  size_t most_bytes_;
  size_t bytes_ = 0;
  std::list<std::pair<std::string, ScoringModel>> models_;    ///< the last used first
  std::list<std::pair<std::string, at::Tensor>> embeddings_;  ///< likewise
};

}  // namespace patchioner
