#include "decoding/vocabulary_section.hpp"

#include <patchioner/error.hpp>

#include "entities/entity_names.hpp"

namespace patchioner {

EntityPrompts VocabularySection::entity_prompts() const {
  return prompts == "single" ? EntityPrompts::single : EntityPrompts::ensemble;
}

std::vector<std::string> VocabularySection::read_names() const {
  EntityNameOptions wanted;
  wanted.single_words_only = single_words_only;
  return read_entity_names(names, wanted);
}

at::Tensor VocabularySection::read_embeddings(const std::vector<std::string>& vocabulary, int64_t dim,
                                              const std::string& weights) const {
  if (embeddings.empty()) {
    return {};
  }
  const at::Tensor rows = read_entity_embeddings(embeddings, vocabulary.size(), names);  // [M,D]
  if (rows.size(1) != dim) {
    throw Error(ErrorKind::config,
                "{}: the entity embeddings are {} wide, but the decoder {} reads features of width {}; both "
                "must belong to the backbone's space",
                embeddings, rows.size(1), weights, dim);
  }
  return rows;
}

at::Tensor VocabularySection::made_embeddings(const std::vector<std::string>& vocabulary,
                                              const Backbone& backbone) const {
  const EntityEncoder encoder = encoder_of(backbone);
  return cache.empty() ? embed_entities(vocabulary, entity_prompts(), encoder)
                       : cached_entity_embeddings(cache, vocabulary, entity_prompts(), encoder);
}

EntityEncoder encoder_of(const Backbone& backbone) {
  return {[&backbone](std::span<const std::string> texts) { return backbone.encode_text(texts); },
          backbone.text_fingerprint()};
}

}  // namespace patchioner
