// What the decoder `viecap` can be told. Defaults are those of the published configurations (spec/04 section
// 13), not of the reference's code.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "decoding/prompted_options.hpp"

namespace patchioner {

/// The section `entities`: which names may enter a hard prompt, and which of them do.
struct EntitiesSection {
  std::string names;
  std::string embeddings;
  std::string cache;
  std::string prompts = "ensemble";
  bool single_words_only = false;
  double temperature = 0.01;
  int64_t top_k = 3;
  double threshold = 0.4;
};

inline void declare(ParameterList<EntitiesSection>& list) {
  using O = EntitiesSection;
  list.add("names", &O::names, "vocabulary: one name a line, or one of the reference's files")
      .path()
      .required();
  list.add("embeddings", &O::embeddings,
           "embeddings of the sorted names; without it they are made with the backbone's text side")
      .path();
  list.add("cache", &O::cache, "folder that embeddings made here are kept in; without it they are not kept")
      .path();
  list.add("prompts", &O::prompts, "of embeddings made here: seven sentences a name, or a single one")
      .choices({"ensemble", "single"});
  list.add("single_words_only", &O::single_words_only, "names without a space alone");
  list.add("temperature", &O::temperature, "of the softmax over all names").range(1e-6);
  list.add("top_k", &O::top_k, "names in a prompt, at most").range(1, 1000);
  list.add("threshold", &O::threshold, "the first name less probable than this, and all behind, are left out")
      .range(0, 1);
}

struct ViecapOptions : PromptedOptions {
  Value entities;
};

inline void declare(ParameterList<ViecapOptions>& list) {
  using O = ViecapOptions;
  declare_prompted(list);
  list.add("entities", &O::entities,
           "{names: file, embeddings: file, cache: folder, prompts: ensemble or single, single_words_only: "
           "false, temperature: 0.01, top_k: 3, threshold: 0.4}; not read with layout no_hard");
  list.note("files", "ViECap's coco_prefix-*.pt, GPT-2's merges.txt, a vocabulary and its embeddings");
  list.note("source", "FeiElysia/ViECap (ICCV 2023); Ruggero1912/Patch-ioner, src/viecap");
}

}  // namespace patchioner
