// How often words are used in WordNet's definitions and examples, a text of 1.4 million words in which things
// are called what people call them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "wordnet.hpp"

namespace patchioner::lexicon {

class GlossCounts {
 public:
  /// Of names of two or three words (between spaces) those of `phrases` are counted.
  GlossCounts(const WordNet& net, const std::unordered_set<std::string>& phrases);

  /// Uses of a word or phrase.
  int64_t of(const std::string& name) const { return at(words_, name); }
  /// Uses of a word right behind a word that comes before nouns in the singular ("a", "his"), or in the
  /// plural
  /// ("of", "several").
  int64_t as_singular_noun(const std::string& word) const { return at(singulars_, word); }
  int64_t as_plural_noun(const std::string& word) const { return at(plurals_, word); }

 private:
  using Counts = std::unordered_map<std::string, int64_t>;
  static int64_t at(const Counts& counts, const std::string& key);

  Counts words_;
  Counts singulars_;
  Counts plurals_;
};

}  // namespace patchioner::lexicon
