// What the decoder `viecap` can be told. Defaults are those of the published configurations (spec/04 section
// 13), not of the reference's code.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "decoding/prompted_model.hpp"
#include "decoding/vocabulary_section.hpp"

namespace patchioner {

/// The section `entities`: which names may enter a hard prompt, and which of them do.
struct EntitiesSection : VocabularySection {
  double temperature = 0.01;
  int64_t top_k = 3;
  double threshold = 0.4;
};

inline void declare(ParameterList<EntitiesSection>& list) {
  using O = EntitiesSection;
  declare_vocabulary(list, /*names_required=*/true);
  list.add("temperature", &O::temperature, "of the softmax over all names").range(1e-6);
  list.add("top_k", &O::top_k, "names in a prompt, at most").range(1, 1000);
  list.add("threshold", &O::threshold, "the first name less probable than this, and all behind, are left out")
      .range(0, 1);
}

/// The section `training`: which nouns of a caption stand in its hard prompt (spec/04 section 9.3).
struct ViecapTrainingSection : PromptedTraining {
  int64_t max_entities = 10;
  bool random_mask = true;
  double mask_probability = 0.4;
  bool filter_without_mask = false;
  std::string vocabulary;
  std::string lexicon;
};

inline void declare(ParameterList<ViecapTrainingSection>& list) {
  using O = ViecapTrainingSection;
  declare_prompted_training(list);
  list.add("max_entities", &O::max_entities, "of a caption only the first so many are looked at")
      .range(1, 1000);
  list.add("random_mask", &O::random_mask, "leave entities out at random, anew each time a caption is drawn");
  list.add("mask_probability", &O::mask_probability, "of each entity to be left out").range(0, 1);
  list.add(
      "filter_without_mask", &O::filter_without_mask,
      "filter by the vocabulary without random_mask too; false gives the whole list then, as the reference");
  list.add("vocabulary", &O::vocabulary,
           "names that may be entities, of which those of one word count; otherwise the lexicon's")
      .path();
  list.add("lexicon", &O::lexicon,
           "words that nouns of captions are found by beside those of the vocabulary, for captions that come "
           "without entities; otherwise the lexicon that comes with the program")
      .path();
}

struct ViecapOptions : PromptedOptions {
  Value entities;
  Value training;
};

inline void declare(ParameterList<ViecapOptions>& list) {
  using O = ViecapOptions;
  declare_prompted(list, /*weights_required=*/false);
  declare_start(list, static_cast<std::string O::*>(&O::language_model), static_cast<Value O::*>(&O::fresh));
  list.add("entities", &O::entities,
           "{names: file, embeddings: file, cache: folder, prompts: ensemble or single, single_words_only: "
           "false, temperature: 0.01, top_k: 3, threshold: 0.4}; not read with layout no_hard");
  list.add("training", &O::training,
           "{frozen_gpt: false, dropout: 0.1, max_entities: 10, random_mask: true, mask_probability: 0.4, "
           "filter_without_mask: false, vocabulary: file, lexicon: file}");
  list.note("files", "ViECap's coco_prefix-*.pt, GPT-2's merges.txt, a vocabulary and its embeddings");
  list.note("source", "FeiElysia/ViECap (ICCV 2023); Ruggero1912/Patch-ioner, src/viecap");
}

}  // namespace patchioner
