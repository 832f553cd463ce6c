// What captions become before ViECap is trained on them: cleaned, their nouns found, filtered and masked
// (spec/04 sections 9.1 to 9.3).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "entities/scene_graph_lexicon.hpp"

namespace patchioner {

/// The caption stripped, in lower case when all of its letters are capitals, begun with a capital, and ended
/// with a full stop unless it ends with a mark of ASCII. Empty stays empty.
std::string clean_training_caption(std::string_view caption);

/// The names of one word of a lexicon: what may enter a prompt when nothing else says so.
std::unordered_set<std::string> single_word_entities(const SceneGraphLexicon& lexicon);

/// Finds nouns by words and endings, the same on every machine.
class NounExtractor {
 public:
  /// `entities` are what may be a noun, of which the names of one word count; `lemmas` what a word may be cut
  /// back to when its plural ending is taken off.
  NounExtractor(const std::unordered_set<std::string>& entities, std::unordered_set<std::string> lemmas);

  /// Both from the names of one word of a lexicon.
  explicit NounExtractor(const SceneGraphLexicon& lexicon);

  /// Nouns of a caption in the singular, by first appearance, each once.
  std::vector<std::string> extract(std::string_view caption) const;

  /// The singular of a word in lower case, or the word.
  std::string lemma(const std::string& word) const;

 private:
  std::unordered_set<std::string> nouns_;
  std::unordered_set<std::string> lemmas_;
};

struct EntityFilterOptions {
  size_t max_entities = 10;       ///< of a caption only the first so many are looked at
  bool random_mask = true;        ///< entities are left out at random
  double mask_probability = 0.4;  ///< each, when masking
  /// The reference gives the whole list, unfiltered, when it does not mask and any entity would be kept; with
  /// this the list is filtered then too.
  bool filter_without_mask = false;
};

/// The entities of one sample as the prompt names them, each once: person words become "person", what is a
/// stop word, one character, or not in `vocabulary` goes. `draw` gives a uniform number of [0,1) for each
/// that is left when masking.
std::vector<std::string> filter_entities(const std::vector<std::string>& entities,
                                         const std::unordered_set<std::string>& vocabulary,
                                         const EntityFilterOptions& options,
                                         const std::function<double()>& draw);

}  // namespace patchioner
