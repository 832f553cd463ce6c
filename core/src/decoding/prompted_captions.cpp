#include "decoding/prompted_captions.hpp"

#include "text/caption_text.hpp"

namespace patchioner {

std::vector<int64_t> finite_rows(const at::Tensor& features) {
  const at::Tensor rows = at::isfinite(features).all(1).nonzero().squeeze(1).to(at::kCPU).contiguous();
  return {rows.const_data_ptr<int64_t>(), rows.const_data_ptr<int64_t>() + rows.size(0)};
}

PromptedCaptions::PromptedCaptions(const PromptedOptions& options, PromptedKind kind,
                                   const PluginContext& context)
    : model_(options.files(kind), context),
      layout_(prompt_layout(options.layout)),
      padding_(options.reference_batch_padding ? PromptPadding::reference : PromptPadding::masked),
      search_(options.search_options()),
      perplexity_(options.score == "perplexity") {
  decoding_.clean_up_spaces = options.clean_up_tokenization_spaces;
}

std::vector<Caption> PromptedCaptions::captions(const at::Tensor& features,
                                                std::span<const std::string> hard_prompts,
                                                bool explain) const {
  std::vector<Caption> captions;
  if (features.size(0) == 0) {
    return captions;
  }
  const PromptBatch prompts = model_.prompts(features, hard_prompts, layout_, padding_);
  std::vector<std::string> texts;
  for (std::vector<FoundText>& found : model_.search(prompts, search_)) {
    FoundText& best = found.front();
    Caption& caption = captions.emplace_back();
    texts.push_back(model_.tokenizer().decode(best.ids));
    caption.raw_text = model_.tokenizer().decode(best.ids, decoding_);
    caption.text = strip_caption(caption.raw_text);
    caption.score = best.score;
    if (explain) {
      for (const int64_t id : best.ids) {
        caption.tokens.push_back(model_.tokenizer().decode({&id, 1}));
      }
      caption.log_probabilities.assign(best.log_probabilities.begin(), best.log_probabilities.end());
    }
    caption.token_ids = std::move(best.ids);
  }
  if (perplexity_) {
    const std::vector<double> perplexities = model_.perplexities(texts);
    for (size_t row = 0; row < captions.size(); ++row) {
      captions[row].score = perplexities[row];
    }
  }
  return captions;
}

}  // namespace patchioner
