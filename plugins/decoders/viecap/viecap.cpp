#include "viecap.hpp"

#include <c10/core/GradMode.h>

#include <patchioner/error.hpp>

#include "decoding/finite_rows.hpp"
#include "decoding/nested_section.hpp"
#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

/// Of the entities that a feature is near to the first `used` are in its prompt.
std::vector<Evidence> evidence_of(const EntityRetriever& retriever, const std::vector<EntityMatch>& matches,
                                  size_t used) {
  std::vector<Evidence> evidence;
  const std::vector<std::string> names = retriever.names_of(matches);
  for (size_t i = 0; i < matches.size(); ++i) {
    evidence.push_back({"entity", names[i], matches[i].probability, i < used});
  }
  return evidence;
}

}  // namespace

ViecapDecoder::ViecapDecoder(const ViecapOptions& options, const PluginContext& context)
    : training_(read_section<ViecapTrainingSection>(options.training, "decoder.training")),
      model_(options, PromptedKind::viecap, training_, context),
      bridged_(options.retrieval_feature == "bridged"),
      device_(context.device) {
  const bool for_training = options.weights.empty() || !options.training.is_null();
  if (!model_.reads_hard_prompts() || (for_training && options.entities.is_null())) {
    return;
  }
  section_ = read_section<EntitiesSection>(options.entities, "decoder.entities");
  retrieval_.temperature = section_.temperature;
  retrieval_.top_k = section_.top_k;
  retrieval_.threshold = section_.threshold;
  names_ = section_.read_names();
  const at::Tensor embeddings = section_.read_embeddings(names_, dim(), options.weights);  // [M,D]
  if (embeddings.defined()) {  // otherwise they are made when the backbone is known
    retriever_ = std::make_shared<const EntityRetriever>(names_, embeddings.to(device_), section_.embeddings);
  }
}

std::shared_ptr<const EntityRetriever> ViecapDecoder::retriever(const Backbone* backbone) const {
  const std::lock_guard lock(mutex_);
  if (names_.empty()) {
    throw Error(ErrorKind::config,
                "decoder.entities is missing: captions are made of it, training alone is not; give {{names: "
                "file}} (and embeddings), or layout: no_hard");
  }
  if (!section_.embeddings.empty()) {
    return retriever_;
  }
  if (backbone == nullptr || !backbone->capabilities().text) {
    throw Error(
        ErrorKind::config,
        "decoder.entities has no 'embeddings', and there is no backbone with a text side to make them "
        "with; give the embeddings of {}",
        section_.names);
  }
  const std::string fingerprint = backbone->text_fingerprint();
  if (retriever_ == nullptr || fingerprint != embedded_by_) {
    retriever_ = std::make_shared<const EntityRetriever>(
        names_, section_.made_embeddings(names_, *backbone).to(device_), section_.names);
    embedded_by_ = fingerprint;
  }
  return retriever_;
}

std::vector<Caption> ViecapDecoder::decode(const DecodeInput& input) const {
  const c10::NoGradGuard no_gradients;
  return decode_finite_rows(
      input.features, dim(), "viecap", [&](const at::Tensor& features, const at::Tensor& rows) {
        std::vector<std::string> hard_prompts;
        std::vector<std::vector<Evidence>> evidence;
        if (model_.reads_hard_prompts()) {
          const bool own = !bridged_ && input.region_features.defined();
          const at::Tensor asked = own ? input.region_features.index_select(0, rows) : features;  // [r,D]
          const std::shared_ptr<const EntityRetriever> retriever = this->retriever(input.backbone);
          for (auto& matches : retriever->nearest(asked, retrieval_)) {
            const size_t used = above_threshold(matches, retrieval_);
            if (input.explain) {
              evidence.push_back(evidence_of(*retriever, matches, used));
            }
            matches.resize(used);
            hard_prompts.push_back(hard_prompt(retriever->names_of(matches)));
          }
        }
        std::vector<Caption> captions = model_.captions(unit_rows(features), hard_prompts, input.explain);
        for (size_t i = 0; i < evidence.size(); ++i) {
          captions[i].evidence = std::move(evidence[i]);
        }
        return captions;
      });
}

}  // namespace patchioner

PATCHIONER_PLUGIN(decoder, viecap, "1.0", "ViECap: a GPT-2 behind soft prompts and named entities",
                  patchioner::ViecapDecoder, patchioner::ViecapOptions)
