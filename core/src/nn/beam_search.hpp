// Beam search: the texts whose ids are most probable on average, several of them kept at every step (spec/04
// section 7.2).
#pragma once

#include <vector>

#include "nn/gpt2.hpp"
#include "nn/prompt.hpp"

namespace patchioner {

struct BeamSearchOptions {
  int64_t width = 5;             ///< texts kept at every step, and returned
  int64_t steps = 64;            ///< ids a text, at most
  std::vector<int64_t> end_ids;  ///< a text ends behind one of these
  double temperature = 1;        ///< logits are divided by it; 0 and below count as 1
  int64_t beams_at_once = 320;   ///< bounds memory; no influence on results
};

/// A text that a search has found.
struct FoundText {
  std::vector<int64_t> ids;              ///< the end id included
  std::vector<float> log_probabilities;  ///< of each id, after the temperature
  double score = 0;                      ///< mean log-probability of its ids
};

/// For every row its `width` texts, the best one first; fewer when there are fewer ids than that. At each
/// step all continuations of a row's texts, and its finished texts, are ranked by the mean log-probability of
/// their ids; of equal ones the one of the better text and the lower id is kept. A row ends when all its
/// texts have. Rows do not influence one another; all advance together, finished texts cost nothing.
std::vector<std::vector<FoundText>> beam_search(const Gpt2& model, const PromptBatch& prompts,
                                                const BeamSearchOptions& options);

}  // namespace patchioner
