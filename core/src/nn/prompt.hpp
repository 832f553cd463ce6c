// What a text is begun with: embeddings of one or many rows, which need not be equally long.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace patchioner {

/// Rows that are decoded together, aligned on the right, so that every row's first generated token stands at
/// the same place.
struct PromptBatch {
  at::Tensor embeddings;  ///< [R,P,E] without positions, P >= 1
  at::Tensor padding;     ///< [R] int64: unused places in front of each row; undefined when there are none

  int64_t rows() const { return embeddings.size(0); }
  int64_t length() const { return embeddings.size(1); }

  /// `count` rows from `start` on; nothing is copied.
  PromptBatch part(int64_t start, int64_t count) const;
};

/// Prompts [P_r,E], at least one, each of at least one position.
PromptBatch left_padded(const std::vector<at::Tensor>& prompts);

}  // namespace patchioner
