// Nucleus sampling: ids drawn from the most probable ones that have a share of the probability together
// (Holtzman et al., The Curious Case of Neural Text Degeneration, section 3.1), from a seed.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/beam_search.hpp"
#include "nn/gpt2.hpp"
#include "nn/prompt.hpp"

namespace patchioner {

struct NucleusSearchOptions {
  double top_p = 0.8;            ///< share of the probability, in (0,1]
  double temperature = 1;        ///< logits are divided by it; above 0
  int64_t seed = 0;              ///< of the numbers that ids are drawn with
  int64_t samples = 1;           ///< texts a row
  int64_t steps = 64;            ///< ids a text, at most
  std::vector<int64_t> end_ids;  ///< a text ends behind one of these
  int64_t texts_at_once = 128;   ///< bounds memory; no influence on results
};

/// The number in [0,1) that an id is drawn with. It depends on these three alone, not on the row.
double nucleus_draw(int64_t seed, int64_t sample, int64_t step);

/// For every row its `samples` texts, those of a larger mean log-probability first, of equal ones the earlier
/// sample; the same text may come more than once. At each step the id is drawn among the fewest whose
/// probabilities reach top_p together, the most probable ones, of equal ones the lower id, at least one.
/// Their order decides which id a number means: small numbers mean probable ids. Sample s of step t draws
/// with the same number in every row, so that equal rows get equal texts, rows do not influence one another,
/// and a row's sample s is the same however many are asked for. The log-probabilities are those among all ids
/// after the temperature. Rows without any probability (logits that are not numbers) take id 0 at the
/// log-probability -infinity. Throws an Error of kind config for an option out of range.
std::vector<std::vector<FoundText>> nucleus_search(const Gpt2& model, const PromptBatch& prompts,
                                                   const NucleusSearchOptions& options);

}  // namespace patchioner
