#include "nn/prompt.hpp"

#include <algorithm>

namespace patchioner {

PromptBatch PromptBatch::part(int64_t start, int64_t count) const {
  return {embeddings.narrow(0, start, count),
          padding.defined() ? padding.narrow(0, start, count) : at::Tensor()};
}

PromptBatch left_padded(const std::vector<at::Tensor>& prompts) {
  TORCH_CHECK(!prompts.empty(), "there must be a prompt to pad");
  int64_t longest = 0;
  for (const at::Tensor& prompt : prompts) {
    longest = std::max(longest, prompt.size(0));
  }
  const int64_t width = prompts.front().size(1);
  PromptBatch batch;
  batch.embeddings = at::zeros({static_cast<int64_t>(prompts.size()), longest, width},
                               prompts.front().options());  // [R,P,E]
  std::vector<int64_t> padding;
  for (size_t row = 0; row < prompts.size(); ++row) {
    padding.push_back(longest - prompts[row].size(0));
    batch.embeddings[static_cast<int64_t>(row)].slice(0, padding.back()).copy_(prompts[row]);
  }
  if (std::any_of(padding.begin(), padding.end(), [](int64_t places) { return places > 0; })) {
    batch.padding = at::tensor(padding, at::kLong).to(batch.embeddings.device());
  }
  return batch;
}

}  // namespace patchioner
