#include "decoding/prompted_model.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "decoding/nested_section.hpp"
#include "decoding/prompted_start.hpp"
#include "decoding/prompted_training.hpp"

namespace patchioner {
namespace {

/// Parameters that nobody changes: those of the language model are copied where they are packed.
PromptedWeights frozen_copy(const PromptedWeights& weights) {
  PromptedWeights copy = weights;
  for (auto& [name, tensor] : copy.soft_prompt.named) {
    tensor = tensor.detach().clone();
  }
  return copy;
}

}  // namespace

PromptedModel::PromptedModel(const PromptedOptions& options, PromptedKind kind,
                             const PromptedTraining& training, const PluginContext& context)
    : options_(options),
      files_(options.files(kind)),
      training_(training),
      context_(context),
      layout_(prompt_layout(options.layout)),
      tokenizer_(Gpt2Tokenizer::open(files_.merges, files_.vocabulary)) {
  const bool is_fresh = !options.fresh.is_null() || !options.language_model.empty();
  if (!options.weights.empty() && is_fresh) {
    throw Error(ErrorKind::config,
                "it has 'weights' and also 'fresh' or 'language_model'; give the one or the others");
  }
  if (options.weights.empty() && !is_fresh) {
    throw Error(ErrorKind::config,
                "it has no weights; give 'weights', or 'fresh' (and 'language_model') to train one");
  }
  if (!is_fresh) {
    captions_ = std::make_shared<const PromptedCaptions>(options, PromptedGpt2(files_, tokenizer_, context));
    dim_ = captions_->dim();
    return;
  }
  weights_ = std::make_unique<PromptedWeights>(start_prompted_weights(
      kind, read_section<FreshSection>(options.fresh, "decoder.fresh"), options.language_model,
      files_.mapping_heads, files_.language_model_heads, tokenizer_->size()));
  require_vocabulary(*tokenizer_, files_.merges, weights_->language_model.config.vocab_size,
                     options.language_model);
  weights_->move_to(context.device);
  dim_ = weights_->soft_prompt.dim();
  untrained_ = true;
}

PromptedWeights& PromptedModel::weights() const {
  const std::lock_guard lock(mutex_);
  if (weights_ == nullptr) {
    auto loaded = std::make_unique<PromptedWeights>(load_prompted_weights(
        files_.weights, files_.kind, files_.mapping_heads, files_.language_model_heads));
    loaded->move_to(context_.device);
    weights_ = std::move(loaded);
  }
  captions_.reset();  // the caller is about to change the weights
  Gpt2Config& config = weights_->language_model.config;
  config.resid_pdrop = config.embd_pdrop = config.attn_pdrop = training_.dropout;
  return *weights_;
}

std::shared_ptr<const PromptedCaptions> PromptedModel::current() const {
  const std::lock_guard lock(mutex_);
  if (captions_ == nullptr) {
    captions_ = std::make_shared<const PromptedCaptions>(
        options_, PromptedGpt2(frozen_copy(*weights_), tokenizer_, context_));
  }
  return captions_;
}

std::vector<Caption> PromptedModel::captions(const at::Tensor& features,
                                             std::span<const std::string> hard_prompts, bool explain) const {
  if (untrained_) {
    warn_once("the decoder has no weights: its captions are random words; give 'weights', or train it first");
  }
  return current()->captions(features, hard_prompts, explain);
}

at::Tensor PromptedModel::training_ids(std::span<const std::string> captions, std::vector<size_t>& dropped,
                                       int64_t room) const {
  std::vector<std::string> kept;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (captions[i].empty()) {
      dropped.push_back(i);
    } else {
      kept.push_back(captions[i]);
    }
  }
  at::Tensor ids = caption_ids(*tokenizer_, kept);  // [N,L]
  const PromptedWeights& model = weights();
  const int64_t soft = layout_ == PromptLayout::only_hard ? 0 : model.soft_prompt.prompt_length();
  const int64_t needed = soft + (reads_hard_prompts() ? room : 0) + ids.size(1);
  if (needed > model.language_model.config.n_positions) {
    throw Error(
        ErrorKind::config,
        "{} positions are needed to train ({} of the soft prompt, {} of the hard prompt, captions of {} "
        "ids), but the language model has {}; give it more (fresh.positions), or train on shorter "
        "captions",
        needed, soft, needed - soft - ids.size(1), ids.size(1), model.language_model.config.n_positions);
  }
  return ids;
}

Decoder::Loss PromptedModel::loss(const TrainingBatch& batch, std::span<const std::string> hard_prompts,
                                  int64_t room, bool training) const {
  PromptedWeights& model = weights();
  if (training) {
    untrained_ = false;
  }
  std::vector<std::vector<int64_t>> prompts;
  for (const std::string& text : hard_prompts) {
    prompts.push_back(tokenizer_->encode(text));
  }
  const PromptedBatch assembled =
      assemble_prompted_batch(batch.ids, prompts, layout_, model.soft_prompt.prompt_length(), room);
  const TokenLoss loss = prompted_loss(model, batch.features, assembled, layout_, tokenizer_->end_id(),
                                       training && !training_.frozen_gpt);
  return {loss.value, loss.accuracy.item<double>()};
}

std::vector<std::pair<std::string, at::Tensor>> PromptedModel::parameters() const {
  return weights().named(/*with_language_model=*/!training_.frozen_gpt);
}

void PromptedModel::save(const std::string& path, const std::string& text_fingerprint) const {
  // The settings first: a checkpoint without them might be read with other heads.
  write_prompted_notes(path, {files_.mapping_heads, files_.language_model_heads, text_fingerprint});
  save_prompted_weights(path, weights());
}

}  // namespace patchioner
