// The decoder `viecap` (spec/04 sections 3 to 7): a GPT-2 that reads a soft prompt, made from the feature,
// and a hard prompt, which names the entities that the feature is near to.
#pragma once

#include <memory>
#include <mutex>
#include <patchioner/decoder.hpp>
#include <patchioner/plugin.hpp>
#include <unordered_set>

#include "decoding/prompted_model.hpp"
#include "entities/entity_retrieval.hpp"
#include "entities/scene_graph_lexicon.hpp"
#include "entities/training_entities.hpp"
#include "viecap_options.hpp"

namespace patchioner {

class ViecapDecoder final : public Decoder {
 public:
  ViecapDecoder(const ViecapOptions& options, const PluginContext& context);

  int64_t dim() const override { return model_.dim(); }
  std::string text_fingerprint() const override { return model_.text_fingerprint(); }

  /// The score is the caption's perplexity, or what the option `score` says. A row that is not finite gets an
  /// empty caption. Evidence: the `top_k` nearest entities by probability, used when above the threshold.
  std::vector<Caption> decode(const DecodeInput& input) const override;

  // Training (training.cpp; spec/04 section 9).
  bool trainable() const override { return true; }
  std::string training_text(const std::string& caption) const override;
  bool reads_training_entities() const override { return model_.reads_hard_prompts(); }
  std::vector<std::string> training_entities(const std::string& caption) const override;
  at::Tensor training_ids(std::span<const std::string> captions, std::vector<size_t>& dropped) const override;
  Loss loss(const TrainingBatch& batch, RandomSource& random, bool training) const override;
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override { return model_.parameters(); }
  void save(const std::string& path, const std::string& text_fingerprint) const override {
    model_.save(path, text_fingerprint);
  }

 private:
  std::shared_ptr<const EntityRetriever> retriever(const Backbone* backbone) const;

  const SceneGraphLexicon& lexicon() const;
  const NounExtractor& nouns() const;
  const std::unordered_set<std::string>& vocabulary() const;
  int64_t room() const;

  ViecapTrainingSection training_;
  PromptedModel model_;
  bool bridged_;
  at::Device device_;
  EntitiesSection section_;
  EntityRetrievalOptions retrieval_;
  std::vector<std::string> names_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const EntityRetriever> retriever_;
  mutable std::string embedded_by_;  // fingerprint of the text side that made the embeddings
  mutable std::mutex words_mutex_;
  mutable std::unique_ptr<const SceneGraphLexicon> lexicon_;  // read when a training asks for them
  mutable std::unique_ptr<const NounExtractor> nouns_;
  mutable std::unique_ptr<const std::unordered_set<std::string>> vocabulary_;
};

}  // namespace patchioner
