// The decoder `viecap` (spec/04 sections 3 to 7): a GPT-2 that reads a soft prompt, made from the feature,
// and a hard prompt, which names the entities that the feature is near to.
#pragma once

#include <memory>
#include <mutex>
#include <patchioner/decoder.hpp>
#include <patchioner/plugin.hpp>

#include "decoding/prompted_captions.hpp"
#include "entities/entity_embeddings.hpp"
#include "entities/entity_retrieval.hpp"
#include "viecap_options.hpp"

namespace patchioner {

class ViecapDecoder final : public Decoder {
 public:
  ViecapDecoder(const ViecapOptions& options, const PluginContext& context);

  int64_t dim() const override { return captions_.dim(); }

  /// The score is the caption's perplexity, or what the option `score` says. A row that is not finite gets an
  /// empty caption.
  std::vector<Caption> decode(const DecodeInput& input) const override;

 private:
  std::shared_ptr<const EntityRetriever> retriever(const Backbone* backbone) const;
  std::shared_ptr<const EntityRetriever> embedded_by(const Backbone& backbone) const;

  PromptedCaptions captions_;
  bool bridged_;
  EntitiesSection section_;
  EntityRetrievalOptions retrieval_;
  std::vector<std::string> names_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const EntityRetriever> retriever_;
  mutable std::string embedded_by_;  // fingerprint of the text side that made the embeddings
};

}  // namespace patchioner
