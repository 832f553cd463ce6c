// What the section `entities` of viecap and meacap says of names: a vocabulary, and its embeddings in the
// backbone's space.
#pragma once

#include <ATen/ATen.h>

#include <patchioner/backbone.hpp>
#include <patchioner/parameters.hpp>
#include <string>
#include <vector>

#include "entities/entity_embeddings.hpp"

namespace patchioner {

struct VocabularySection {
  std::string names;
  std::string embeddings;
  std::string cache;
  std::string prompts = "ensemble";
  bool single_words_only = false;

  EntityPrompts entity_prompts() const;

  /// The names of the vocabulary. Throws as read_entity_names.
  std::vector<std::string> read_names() const;

  /// Their embeddings [M,D] from the file; undefined when none is named. Throws as read_entity_embeddings,
  /// and config when they are not as wide as the features that the decoder of these weights reads.
  at::Tensor read_embeddings(const std::vector<std::string>& names, int64_t dim,
                             const std::string& weights) const;

  /// Embeddings [M,D] made with the backbone's text side, kept in `cache` when it is given.
  at::Tensor made_embeddings(const std::vector<std::string>& names, const Backbone& backbone) const;
};

/// A backbone's text side, as long as the backbone lives.
EntityEncoder encoder_of(const Backbone& backbone);

/// Declares its fields for a section that is derived from it.
template <class Section>
void declare_vocabulary(ParameterList<Section>& list, bool names_required) {
  using O = VocabularySection;
  using Text = std::string Section::*;
  auto names = list.add("names", static_cast<Text>(&O::names),
                        "vocabulary: one name a line, or one of the reference's files");
  names.path();
  if (names_required) {
    names.required();
  }
  list.add("embeddings", static_cast<Text>(&O::embeddings),
           "embeddings of the sorted names; without it they are made with the backbone's text side")
      .path();
  list.add("cache", static_cast<Text>(&O::cache),
           "folder that embeddings made here are kept in; without it they are not kept")
      .path();
  list.add("prompts", static_cast<Text>(&O::prompts),
           "of embeddings made here: seven sentences a name, or a single one")
      .choices({"ensemble", "single"});
  list.add("single_words_only", static_cast<bool Section::*>(&O::single_words_only),
           "names without a space alone");
}

}  // namespace patchioner
