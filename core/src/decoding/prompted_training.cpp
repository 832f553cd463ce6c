#include "decoding/prompted_training.hpp"

#include <algorithm>
#include <cmath>

namespace patchioner {
namespace {

/// The smaller of the longest length and of mean + 10 deviations, in float32 as the reference computes it.
int64_t usual_length(const std::vector<int64_t>& lengths) {
  const at::Tensor values = at::tensor(lengths, at::kLong).to(at::kFloat);  // [N]
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  if (lengths.size() < 2) {
    return longest;
  }
  constexpr double kDeviations = 10;
  const at::Tensor usual = values.mean() + values.std() * kDeviations;
  return std::min(static_cast<int64_t>(usual.item<float>()), longest);
}

/// Behind each other in a row of `length`: zeros, then the ids, then zeros; what does not fit is cut.
void put_row(at::Tensor row, int64_t zeros, const int64_t* ids, int64_t count, int64_t length) {
  int64_t* values = row.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count && zeros + i < length; ++i) {
    values[zeros + i] = ids[i] == kNoToken ? 0 : ids[i];
  }
}

}  // namespace

at::Tensor caption_ids(const Gpt2Tokenizer& tokenizer, std::span<const std::string> captions) {
  std::vector<std::vector<int64_t>> encoded;
  std::vector<int64_t> lengths;
  for (const std::string& caption : captions) {
    encoded.push_back(tokenizer.encode(caption));
    lengths.push_back(static_cast<int64_t>(encoded.back().size()));
  }
  if (encoded.empty()) {
    return at::empty({0, 0}, at::kLong);
  }
  const int64_t length = usual_length(lengths);
  at::Tensor ids = at::full({static_cast<int64_t>(encoded.size()), length}, kNoToken, at::kLong);  // [N,L]
  int64_t* row = ids.mutable_data_ptr<int64_t>();
  for (const std::vector<int64_t>& words : encoded) {
    std::copy_n(words.begin(), std::min<size_t>(words.size(), static_cast<size_t>(length)), row);
    row += length;
  }
  return ids;
}

int64_t hard_prompt_room(int64_t max_entities, int64_t frame) {
  return 2 * max_entities - 1 + frame;
}

PromptedBatch assemble_prompted_batch(const at::Tensor& ids,
                                      std::span<const std::vector<int64_t>> hard_prompts, PromptLayout layout,
                                      int64_t prompt_length, int64_t room) {
  const at::Tensor captions = ids.to(at::kCPU).contiguous();  // [N,L]
  const int64_t rows = captions.size(0);
  const int64_t words = captions.size(1);
  const bool has_hard = layout != PromptLayout::no_hard;
  TORCH_CHECK(!has_hard || static_cast<int64_t>(hard_prompts.size()) == rows,
              "a hard prompt a row is needed");
  const int64_t soft = layout == PromptLayout::only_hard ? 0 : prompt_length;
  const int64_t read = words + (has_hard ? room : 0);  // T
  const int64_t length = soft + read;                  // S
  PromptedBatch batch;
  batch.tokens = at::zeros({rows, read}, at::kLong);                  // [N,T]
  const at::Tensor texts = at::zeros({rows, length + 1}, at::kLong);  // [N,S+1], shifted below
  batch.mask = at::zeros({rows, length}, at::kFloat);                 // [N,S]
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t* caption = captions.const_data_ptr<int64_t>() + row * words;
    const int64_t used = std::find(caption, caption + words, kNoToken) - caption;
    int64_t hard = 0;
    if (has_hard) {
      const std::vector<int64_t>& prompt = hard_prompts[static_cast<size_t>(row)];
      hard = static_cast<int64_t>(prompt.size());
      batch.hard_lengths.push_back(hard);
      put_row(batch.tokens[row], 0, prompt.data(), hard, read);
    }
    put_row(batch.tokens[row], hard, caption, words, read);
    put_row(texts[row], soft + hard, caption, words, length);
    batch.mask[row].slice(0, 0, std::min(soft + hard + used, length)).fill_(1);
  }
  batch.labels = texts.slice(1, 1).contiguous();  // [N,S]: a position predicts what comes behind it
  return batch;
}

at::Tensor prompted_embeddings(const PromptedWeights& weights, const at::Tensor& features,
                               const PromptedBatch& batch, PromptLayout layout) {
  const at::Tensor& table = weights.language_model.token_embedding;
  const at::Tensor words = at::embedding(table, batch.tokens.to(table.device()));  // [N,T,E]
  if (layout == PromptLayout::only_hard) {
    return words;
  }
  const at::Tensor soft = weights.soft_prompt.network().forward(features.to(table.device()));  // [N,P,E]
  const at::Tensor both = at::cat({soft, words}, 1);                                           // [N,S,E]
  if (layout != PromptLayout::hard_first) {
    return both;
  }
  // The hard prompt of a row moves in front of its soft prompt.
  const int64_t length = both.size(1);
  const int64_t prompt = soft.size(1);
  at::Tensor order = at::arange(length, at::kLong).repeat({both.size(0), 1});  // [N,S]
  for (int64_t row = 0; row < both.size(0); ++row) {
    const int64_t hard = std::min(batch.hard_lengths[static_cast<size_t>(row)], length - prompt);
    order[row].slice(0, 0, hard).copy_(at::arange(prompt, prompt + hard, at::kLong));
    order[row].slice(0, hard, hard + prompt).copy_(at::arange(prompt, at::kLong));
  }
  const at::Tensor places = order + at::arange(both.size(0), at::kLong).unsqueeze(1) * length;  // [N,S]
  return both.flatten(0, 1).index_select(0, places.flatten().to(table.device())).view_as(both);
}

TokenLoss prompted_loss(const PromptedWeights& weights, const at::Tensor& features,
                        const PromptedBatch& batch, PromptLayout layout, int64_t end_id, bool dropout) {
  // Positions behind the longest row change nothing; nor does the mask, since attention looks back only and
  // what counts comes first.
  const int64_t used = batch.mask.any(0).sum().item<int64_t>();
  PromptedBatch shorter = batch;
  const int64_t soft = batch.mask.size(1) - batch.tokens.size(1);
  shorter.tokens = batch.tokens.narrow(1, 0, used - soft);                                          // [N,T']
  const at::Tensor labels = at::where(batch.labels == end_id, 0, batch.labels).narrow(1, 0, used);  // [N,S']
  const Gpt2Weights& model = weights.language_model;
  const at::Tensor hidden =
      gpt2_forward(model, prompted_embeddings(weights, features, shorter, layout), dropout);  // [N,S',E]
  return token_loss(model, hidden, labels.to(model.token_embedding.device()), /*label_smoothing=*/0);
}

}  // namespace patchioner
