// What the decoder `meacap` can be told. Defaults are those of the published configurations (spec/04 section
// 13), not of the reference's code.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "decoding/prompted_options.hpp"
#include "decoding/vocabulary_section.hpp"

namespace patchioner {

/// The section `meacap.parser`: where scene graphs of captions come from.
struct ParserSection {
  std::string type = "auto";
  std::string lexicon;
};

/// The section `meacap.names`: how names of things are compared.
struct NamesSection {
  std::string type = "auto";
  std::string names;
  std::string embeddings;
  std::string encoder;
  std::string synonyms;
};

/// The section `meacap`.
struct MeacapSection {
  std::string memory;
  int64_t captions = 5;
  int64_t max_concepts = 4;
  int64_t min_count = 3;
  int64_t attribute_min = 3;
  Value similarity = "auto";
  bool position_fix = false;
  Value parser;
  Value names;
};

/// The section `entities`, the one of the decoder viecap. Here it says only which names tell how alike names
/// are in the backbone's space.
struct EntitiesSection : VocabularySection {
  double temperature = 0.01;
  int64_t top_k = 3;
  double threshold = 0.4;
};

struct MeacapOptions : PromptedOptions {
  Value meacap;
  Value entities;
};

inline void declare(ParameterList<ParserSection>& list) {
  using O = ParserSection;
  list.add("type", &O::type,
           "precomputed: the memory's scene graphs; rule: a lexicon's; auto: the first if there")
      .choices({"auto", "precomputed", "rule"});
  list.add("lexicon", &O::lexicon,
           "words that the rules know, as JSON; otherwise the lexicon that comes with the program")
      .path();
}

inline void declare(ParameterList<NamesSection>& list) {
  using O = NamesSection;
  list.add("type", &O::type,
           "table: vectors of a file; lexical: same singular, alias or synonym; bert: a sentence encoder; "
           "backbone: "
           "its text side; auto: the one whose files are given, else table if the memory has one, else "
           "backbone")
      .choices({"auto", "table", "lexical", "bert", "backbone"});
  list.add("names", &O::names, "of a table: one name a line; by default the memory's entity_names.txt")
      .path();
  list.add("embeddings", &O::embeddings,
           "of a table: a row a name; by default the memory's entity_embeddings.safetensors")
      .path();
  list.add("encoder", &O::encoder, "of bert: the folder of a sentence-transformers model").path();
  list.add("synonyms", &O::synonyms,
           "of lexical: names that are one thing, separated by commas, a group a line")
      .path();
}

inline void declare(ParameterList<MeacapSection>& list) {
  using O = MeacapSection;
  list.add("memory", &O::memory, "a memory bank, or the reference's folder memory/ID").path().required();
  list.add("captions", &O::captions, "captions of the memory that a region is given").range(1, 1000);
  list.add("max_concepts", &O::max_concepts, "concepts in a prompt, at most").range(1, 1000);
  list.add("min_count", &O::min_count, "captions that must name a thing").range(1, 1000);
  list.add("attribute_min", &O::attribute_min, "captions that must give an attribute").range(1, 1000);
  list.add(
      "similarity", &O::similarity,
      "names whose cosine is above this are one thing; auto: 0.55, or what the backbone's space asks for");
  list.add("position_fix", &O::position_fix,
           "find a thing at the very start of a caption, and whole words only, unlike the reference");
  list.add("parser", &O::parser, "{type: auto, precomputed or rule, lexicon: file}");
  list.add("names", &O::names, "{type: auto, table, lexical, bert or backbone, and their files}");
}

inline void declare(ParameterList<EntitiesSection>& list) {
  using O = EntitiesSection;
  declare_vocabulary(list, /*names_required=*/false);
  list.add("temperature", &O::temperature, "of viecap; not read here").range(1e-6);
  list.add("top_k", &O::top_k, "of viecap; not read here").range(1, 1000);
  list.add("threshold", &O::threshold, "of viecap; not read here").range(0, 1);
}

inline void declare(ParameterList<MeacapOptions>& list) {
  using O = MeacapOptions;
  declare_prompted(list, /*weights_required=*/true);
  list.add("meacap", &O::meacap,
           "{memory: file or folder, captions: 5, max_concepts: 4, min_count: 3, attribute_min: 3, "
           "similarity: auto or a "
           "number, position_fix: false, parser: {type: auto, precomputed or rule, lexicon: file}, names: "
           "{type: auto, "
           "table, lexical, bert or backbone, names: file, embeddings: file, encoder: folder, synonyms: "
           "file}}; not read "
           "with layout no_hard");
  list.add("entities", &O::entities,
           "{names: file, embeddings: file, cache: folder, prompts: ensemble or single}: the vocabulary that "
           "tells how "
           "alike names are in the backbone's space");
  list.note("files", "ViECap's coco_prefix-*.pt, GPT-2's merges.txt, a memory of captions");
  list.note("source", "joeyz0z/MeaCap (CVPR 2024), InvLM; Ruggero1912/Patch-ioner, src/meacap");
}

}  // namespace patchioner
