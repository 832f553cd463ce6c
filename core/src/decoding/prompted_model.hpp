// A GPT-2 behind prompts that captions and can be trained: what the decoders viecap and clipcap are made of.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <patchioner/decoder.hpp>
#include <patchioner/parameters.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "decoding/prompted_captions.hpp"
#include "decoding/prompted_options.hpp"

namespace patchioner {

/// The section `training`, as far as it does not concern entities.
struct PromptedTraining {
  bool frozen_gpt = false;
  double dropout = 0.1;
};

/// Declares them for a section that is derived from it.
template <class Section>
void declare_prompted_training(ParameterList<Section>& list) {
  list.add("frozen_gpt", static_cast<bool Section::*>(&PromptedTraining::frozen_gpt),
           "train the network in front alone; the GPT-2 stays as it is, without dropout");
  list.add("dropout", static_cast<double Section::*>(&PromptedTraining::dropout),
           "of the GPT-2 while it is trained: embeddings, attention weights, what its blocks add")
      .range(0, 0.99);
}

/// Captions with the weights as they are, also between two steps of a training. [any-thread, but not while a
/// training step runs, which changes the weights in place]
class PromptedModel {
 public:
  /// With `options.weights` a checkpoint, else what `language_model` and `fresh` say. Throws Error: io,
  /// checkpoint, config, data, as PromptedGpt2 and start_prompted_weights.
  PromptedModel(const PromptedOptions& options, PromptedKind kind, const PromptedTraining& training,
                const PluginContext& context);

  int64_t dim() const { return dim_; }
  /// Of the text side that the weights were trained with; empty when unknown.
  const std::string& text_fingerprint() const { return files_.text_fingerprint; }
  bool reads_hard_prompts() const { return layout_ != PromptLayout::no_hard; }
  const Gpt2Tokenizer& tokenizer() const { return *tokenizer_; }

  /// As PromptedCaptions::captions. Warns once when nothing was trained yet.
  std::vector<Caption> captions(const at::Tensor& features, std::span<const std::string> hard_prompts,
                                bool explain) const;

  /// Decoder::training_ids. `room` are the ids in front of a caption that hard prompts may take. Empty
  /// captions are left out. Throws an Error of kind config when the language model has too few positions.
  at::Tensor training_ids(std::span<const std::string> captions, std::vector<size_t>& dropped,
                          int64_t room) const;

  /// Decoder::loss of ids of training_ids, with a hard prompt a row unless the layout has none.
  Decoder::Loss loss(const TrainingBatch& batch, std::span<const std::string> hard_prompts, int64_t room,
                     bool training) const;

  /// Decoder::parameters.
  std::vector<std::pair<std::string, at::Tensor>> parameters() const;

  /// Decoder::save.
  void save(const std::string& path, const std::string& text_fingerprint) const;

 private:
  PromptedWeights& weights() const;
  std::shared_ptr<const PromptedCaptions> current() const;

  PromptedOptions options_;
  PromptedGpt2Files files_;
  PromptedTraining training_;
  PluginContext context_;
  PromptLayout layout_;
  std::shared_ptr<const Gpt2Tokenizer> tokenizer_;
  int64_t dim_ = 0;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<PromptedWeights> weights_;  // read from the file when training asks for them
  mutable std::shared_ptr<const PromptedCaptions> captions_;  // none while a training changes the weights
  mutable std::atomic<bool> untrained_ = false;
};

}  // namespace patchioner
