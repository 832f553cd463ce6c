#include "nn/search.hpp"

namespace patchioner {

namespace {

/// The search of a few rows, written into their part of the results.
void search_rows(const Gpt2& model, const PromptBatch& prompts, const GreedySearchOptions& options,
                 at::Tensor ids, at::Tensor log_probabilities) {
  const int64_t all_rows = prompts.rows();
  Gpt2Cache cache(model, all_rows, prompts.length() + options.steps - 1);
  if (prompts.padding.defined()) {
    cache.set_left_padding(prompts.padding);
  }
  const at::Tensor end_ids = at::tensor(options.end_ids, ids.options());
  at::Tensor input = prompts.embeddings;                     // [N,P,E], later [N,1,E]
  at::Tensor running = at::arange(all_rows, ids.options());  // [N] rows of `ids` still running
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor hidden = model.run(input, cache).select(1, -1);  // [N,E]
    const at::Tensor logits = model.logits(hidden);                   // [N,V]
    const bool restricted = options.allowed_ids > 0 && options.allowed_ids < logits.size(1);
    // argmax gives the first of equal maxima, and counts NaN as one.
    const at::Tensor chosen =
        (restricted ? logits.narrow(1, 0, options.allowed_ids) : logits).argmax(1);  // [N]
    ids.select(1, step).index_copy_(0, running, chosen);
    if (options.log_probabilities) {
      const at::Tensor probability =
          at::log_softmax(logits, 1).gather(1, chosen.unsqueeze(1)).squeeze(1);  // [N]
      log_probabilities.select(1, step).index_copy_(0, running, probability);
    }
    if (step + 1 == options.steps) {
      break;
    }
    at::Tensor next = chosen;
    if (!options.end_ids.empty()) {
      const at::Tensor unfinished = at::isin(chosen, end_ids, false, /*invert=*/true)
                                        .nonzero()
                                        .squeeze(1);  // [N'] positions among the running
      if (unfinished.size(0) == 0) {
        break;
      }
      if (unfinished.size(0) < chosen.size(0)) {
        cache.select(unfinished);
        running = running.index_select(0, unfinished);
        next = chosen.index_select(0, unfinished);
      }
    }
    input = model.embed(next).unsqueeze(1);  // [N,1,E]
  }
}

}  // namespace

GreedySearchResult greedy_search(const Gpt2& model, const at::Tensor& prefix,
                                 const GreedySearchOptions& options) {
  return greedy_search(model, PromptBatch{prefix, {}}, options);
}

GreedySearchResult greedy_search(const Gpt2& model, const PromptBatch& prompts,
                                 const GreedySearchOptions& options) {
  const int64_t rows = prompts.rows();
  const auto floats = prompts.embeddings.options();
  GreedySearchResult result;
  result.ids = at::full({rows, options.steps}, -1, floats.dtype(at::kLong));
  if (options.log_probabilities) {
    result.log_probabilities = at::zeros({rows, options.steps}, floats);
  }
  for (int64_t start = 0; start < rows; start += options.rows_at_once) {
    const int64_t count = std::min(options.rows_at_once, rows - start);
    search_rows(model, prompts.part(start, count), options, result.ids.narrow(0, start, count),
                options.log_probabilities ? result.log_probabilities.narrow(0, start, count) : at::Tensor());
  }
  return result;
}

}  // namespace patchioner
