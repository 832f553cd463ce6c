#include "decoding/prompted_gpt2.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

#include "nn/nucleus_search.hpp"
#include "nn/search.hpp"

namespace patchioner {
namespace {

/// Texts whose perplexity is computed together: their logits are 16 times 64 times 50257 numbers at most.
constexpr size_t kTextsAtOnce = 16;

}  // namespace

void require_vocabulary(const Gpt2Tokenizer& tokenizer, const std::filesystem::path& merges, int64_t ids,
                        const std::filesystem::path& model) {
  if (tokenizer.size() != ids) {
    throw Error(ErrorKind::data,
                "{}: the tokenizer has {} ids, but the language model of {} has {}; give the files that it "
                "was trained with",
                merges.string(), tokenizer.size(), model.string(), ids);
  }
}

PromptedGpt2::PromptedGpt2(const PromptedGpt2Files& files, const PluginContext& context)
    : PromptedGpt2(files, Gpt2Tokenizer::open(files.merges, files.vocabulary), context) {}

PromptedGpt2::PromptedGpt2(const PromptedGpt2Files& files, std::shared_ptr<const Gpt2Tokenizer> tokenizer,
                           const PluginContext& context)
    : PromptedGpt2(
          load_prompted_weights(files.weights, files.kind, files.mapping_heads, files.language_model_heads),
          std::move(tokenizer), context) {
  require_vocabulary(*tokenizer_, files.merges, model_.config().vocab_size, files.weights);
}

PromptedGpt2::PromptedGpt2(PromptedWeights weights, std::shared_ptr<const Gpt2Tokenizer> tokenizer,
                           const PluginContext& context)
    : context_(context), tokenizer_(std::move(tokenizer)) {
  weights.move_to(context.device);
  soft_prompt_ = std::make_shared<const SoftPrompt>(weights.soft_prompt.network(context.precision));
  model_ = Gpt2(weights.language_model, context.precision);
}

at::Tensor PromptedGpt2::hard_embeddings(const std::string& text, size_t length) const {
  std::vector<int64_t> ids = tokenizer_->encode(text);
  ids.resize(std::max(ids.size(), length), 0);
  return model_.embed(at::tensor(ids, at::kLong).to(context_.device));  // [n,E]
}

PromptBatch PromptedGpt2::prompts(const at::Tensor& features, std::span<const std::string> hard_prompts,
                                  PromptLayout layout, PromptPadding padding) const {
  const at::Tensor soft = layout == PromptLayout::only_hard
                              ? at::Tensor()
                              : soft_prompt_->forward(features.to(context_.device, at::kFloat));  // [R,P,E]
  if (layout == PromptLayout::no_hard) {
    return {soft, {}};
  }
  TORCH_CHECK(static_cast<int64_t>(hard_prompts.size()) == features.size(0), "a hard prompt a row is needed");
  size_t longest = 0;
  if (padding == PromptPadding::reference) {
    for (const std::string& text : hard_prompts) {
      longest = std::max(longest, tokenizer_->encode(text).size());
    }
  }
  std::vector<at::Tensor> rows;
  for (size_t row = 0; row < hard_prompts.size(); ++row) {
    const at::Tensor hard = hard_embeddings(hard_prompts[row], longest);  // [n,E]
    if (layout == PromptLayout::only_hard) {
      rows.push_back(hard);
      continue;
    }
    const at::Tensor own = soft[static_cast<int64_t>(row)];  // [P,E]
    rows.push_back(layout == PromptLayout::soft_first ? at::cat({own, hard}) : at::cat({hard, own}));
  }
  return left_padded(rows);
}

std::vector<int64_t> PromptedGpt2::end_ids(const std::vector<std::string>& stop) const {
  std::vector<int64_t> ids;
  for (const std::string& text : stop) {
    const std::vector<int64_t> encoded = tokenizer_->encode(text);
    if (encoded.empty()) {
      throw Error(ErrorKind::config, "an empty text stands among those that a caption stops behind");
    }
    ids.push_back(encoded.back());
  }
  return ids;
}

std::vector<std::vector<FoundText>> PromptedGpt2::search(const PromptBatch& prompts,
                                                         const TextSearchOptions& options) const {
  if (options.type == TextSearch::nucleus) {
    NucleusSearchOptions nucleus;
    nucleus.top_p = options.top_p;
    nucleus.temperature = options.temperature;
    nucleus.seed = options.seed;
    nucleus.samples = options.n_best;
    nucleus.steps = options.max_length;
    nucleus.end_ids = end_ids(options.stop);
    return nucleus_search(model_, prompts, nucleus);
  }
  if (options.type == TextSearch::beam) {
    BeamSearchOptions beam;
    beam.width = options.beam_width;
    beam.steps = options.max_length;
    beam.end_ids = end_ids(options.stop);
    beam.temperature = options.temperature;
    return beam_search(model_, prompts, beam);
  }
  GreedySearchOptions greedy;
  greedy.steps = options.max_length;
  greedy.end_ids = end_ids(options.stop);
  const GreedySearchResult found = greedy_search(model_, prompts, greedy);
  const at::Tensor ids = found.ids.to(at::kCPU).contiguous();                              // [R,T]
  const at::Tensor log_probabilities = found.log_probabilities.to(at::kCPU).contiguous();  // [R,T]
  std::vector<std::vector<FoundText>> texts;
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const int64_t* first = ids.const_data_ptr<int64_t>() + row * ids.size(1);
    const int64_t* end = std::find(first, first + ids.size(1), -1);
    const float* values = log_probabilities.const_data_ptr<float>() + row * ids.size(1);
    FoundText text{{first, end}, {values, values + (end - first)}, 0};
    for (const float value : text.log_probabilities) {
      text.score += value / static_cast<double>(text.ids.size());
    }
    texts.push_back({std::move(text)});
  }
  return texts;
}

std::vector<double> PromptedGpt2::perplexities(std::span<const std::string> texts) const {
  std::vector<double> result(texts.size(), std::numeric_limits<double>::infinity());
  for (size_t start = 0; start < texts.size(); start += kTextsAtOnce) {
    const size_t count = std::min(kTextsAtOnce, texts.size() - start);
    std::vector<std::vector<int64_t>> encoded;
    size_t longest = 0;
    for (const std::string& text : texts.subspan(start, count)) {
      encoded.push_back(tokenizer_->encode(text));
      // A text of broken bytes may have more ids than it was made of; what the model has no place for is cut.
      encoded.back().resize(
          std::min(encoded.back().size(), static_cast<size_t>(model_.config().n_positions)));
      longest = std::max(longest, encoded.back().size());
    }
    if (longest < 2) {
      continue;
    }
    // Filled up behind, where no token of the text looks.
    at::Tensor ids = at::zeros({static_cast<int64_t>(count), static_cast<int64_t>(longest)}, at::kLong);
    for (size_t row = 0; row < count; ++row) {
      std::copy(encoded[row].begin(), encoded[row].end(),
                ids[static_cast<int64_t>(row)].mutable_data_ptr<int64_t>());
    }
    ids = ids.to(context_.device);  // [N,T]
    Gpt2Cache cache(model_, ids.size(0), ids.size(1));
    const at::Tensor hidden = model_.run(model_.embed(ids), cache).slice(1, 0, -1);  // [N,T-1,E]
    const at::Tensor losses = -at::log_softmax(model_.logits(hidden), -1)
                                   .gather(2, ids.slice(1, 1).unsqueeze(2))
                                   .squeeze(2)
                                   .to(at::kCPU, at::kDouble);  // [N,T-1]
    for (size_t row = 0; row < count; ++row) {
      const auto length = static_cast<int64_t>(encoded[row].size());
      if (length > 1) {
        const at::Tensor own = losses[static_cast<int64_t>(row)].slice(0, 0, length - 1);
        result[start + row] = std::exp(own.mean().item<double>());
      }
    }
  }
  return result;
}

}  // namespace patchioner
