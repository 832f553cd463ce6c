#include "decoding/prompted_captions.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "text/caption_text.hpp"

namespace patchioner {

PromptedCaptions::PromptedCaptions(const PromptedOptions& options, PromptedKind kind,
                                   const PluginContext& context)
    : PromptedCaptions(options, PromptedGpt2(options.files(kind), context)) {}

PromptedCaptions::PromptedCaptions(const PromptedOptions& options, PromptedGpt2 model)
    : model_(std::move(model)),
      place_(options.weights.empty() ? "the decoder" : options.weights),
      layout_(prompt_layout(options.layout)),
      padding_(options.reference_batch_padding ? PromptPadding::reference : PromptPadding::masked),
      search_(options.search_options()),
      perplexity_sign_(options.score == "perplexity"       ? 1
                       : options.score == "neg_perplexity" ? -1
                                                           : 0) {
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
  if (const int64_t most = model_.model().config().n_positions;
      prompts.length() + search_.max_length - 1 > most) {
    throw Error(ErrorKind::config,
                "{}: a prompt of {} positions and the {} tokens of a caption are more than the {} positions "
                "of the language model; lower search.max_length, or let fewer names into the prompt",
                place_, prompts.length(), search_.max_length, most);
  }
  std::vector<std::string> texts;  // of each row its caption's, then those of its alternatives
  for (std::vector<FoundText>& found : model_.search(prompts, search_)) {
    Caption& caption = captions.emplace_back();
    for (const FoundText& one :
         std::span(found).first(std::min(found.size(), static_cast<size_t>(search_.n_best)))) {
      texts.push_back(model_.tokenizer().decode(one.ids));
      const std::string raw_text = model_.tokenizer().decode(one.ids, decoding_);
      caption.alternatives.push_back({strip_caption(raw_text), raw_text, one.score});
    }
    // The search's best text is the caption.
    FoundText& best = found.front();
    caption.text = std::move(caption.alternatives.front().text);
    caption.raw_text = std::move(caption.alternatives.front().raw_text);
    caption.score = best.score;
    caption.alternatives.erase(caption.alternatives.begin());
    if (explain) {
      caption.prompt = hard_prompts.empty() ? std::string() : hard_prompts[captions.size() - 1];
      for (const int64_t id : best.ids) {
        caption.tokens.push_back(model_.tokenizer().decode({&id, 1}));
      }
      caption.log_probabilities.assign(best.log_probabilities.begin(), best.log_probabilities.end());
    }
    caption.token_ids = std::move(best.ids);
  }
  if (perplexity_sign_ != 0) {
    const std::vector<double> perplexities = model_.perplexities(texts);
    auto perplexity = perplexities.begin();
    for (Caption& caption : captions) {
      caption.score = perplexity_sign_ * *perplexity++;
      for (AlternativeCaption& other : caption.alternatives) {
        other.score = perplexity_sign_ * *perplexity++;
      }
    }
  }
  return captions;
}

}  // namespace patchioner
