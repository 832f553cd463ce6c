// The decoder `meacap` (spec/04 sections 11 and 12): ViECap's model, whose hard prompt names what the
// captions of a memory that the feature is near to agree on.
#pragma once

#include <memory>
#include <mutex>
#include <patchioner/decoder.hpp>
#include <patchioner/plugin.hpp>

#include "decoding/prompted_model.hpp"
#include "entities/caption_memory.hpp"
#include "entities/concept_finder.hpp"
#include "meacap_options.hpp"
#include "name_measure.hpp"

namespace patchioner {

class MeacapDecoder final : public Decoder {
 public:
  MeacapDecoder(const MeacapOptions& options, const PluginContext& context);

  int64_t dim() const override { return model_.dim(); }

  /// As recorded beside the weights. That of the memory is compared with the backbone's, or where this one
  /// has none with that of the weights, by the first call that decodes; a warning says when they differ.
  std::string text_fingerprint() const override { return model_.text_fingerprint(); }

  /// The score is the caption's perplexity, or what the option `score` says. A row that is not finite gets an
  /// empty caption. Evidence: the captions of the memory by cosine, used when they name a concept of the
  /// prompt; then all concepts with the number of captions that name them, used when in the prompt.
  std::vector<Caption> decode(const DecodeInput& input) const override;

 private:
  void compare_texts(const Backbone* backbone) const;

  PromptedModel model_;
  bool bridged_;
  MeacapSection section_;
  std::shared_ptr<const CaptionMemory> memory_;  // none when no hard prompt is read
  std::unique_ptr<const ConceptFinder> finder_;
  std::unique_ptr<const NameMeasure> names_;
  mutable std::once_flag texts_compared_;
};

}  // namespace patchioner
