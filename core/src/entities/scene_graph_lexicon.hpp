// The words that the rule parser knows (spec/04 section 12.2).
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace patchioner {

using WordSet = std::unordered_set<std::string>;
using WordMap = std::unordered_map<std::string, std::string>;

struct SceneGraphLexicon {
  WordSet entities;                ///< names of one to three words, in lower case
  WordSet attributes;              ///< words
  WordMap aliases;                 ///< word -> what it is read as
  WordMap numbers;                 ///< word -> digit
  WordSet copulas;                 ///< words behind which attributes of what is in front may stand ("is")
  WordSet skip_after_copula;       ///< words between a copula and those attributes ("very")
  WordSet dropped_relation_words;  ///< words that are no part of a relation ("the")

  /// Reads a JSON object with these fields: lists of texts, for `aliases` and `numbers` objects of texts;
  /// others are not looked at. Throws Error: io, or data when a field is missing or of another type, or there
  /// are no entities.
  static SceneGraphLexicon read(const std::filesystem::path& path);
};

}  // namespace patchioner
