// How a text is searched for: the most probable id at every step.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/gpt2.hpp"
#include "nn/prompt.hpp"

namespace patchioner {

struct GreedySearchOptions {
  int64_t steps = 30;             ///< ids a row, at most
  int64_t allowed_ids = 0;        ///< only ids below this are chosen; 0: all of them
  std::vector<int64_t> end_ids;   ///< a row ends behind one of these; without any it takes all steps
  bool log_probabilities = true;  ///< whether they are computed
  int64_t rows_at_once = 128;     ///< bounds memory; no influence on results
};

struct GreedySearchResult {
  at::Tensor ids;                ///< [R,T] int64; -1 behind a row's end
  at::Tensor log_probabilities;  ///< [R,T] float32, of the chosen ids among all V; 0 behind a row's end; or
                                 ///< undefined
};

/// Greedy search from prefix embeddings [R,P,E] (P >= 1, without positions). The first of equal maxima is
/// chosen; a row whose logits are NaN chooses id 0, with NaN as log-probability. Rows do not influence one
/// another.
GreedySearchResult greedy_search(const Gpt2& model, const at::Tensor& prefix,
                                 const GreedySearchOptions& options);

/// The same from prompts of unequal length.
GreedySearchResult greedy_search(const Gpt2& model, const PromptBatch& prompts,
                                 const GreedySearchOptions& options);

}  // namespace patchioner
