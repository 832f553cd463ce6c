// WordNet's sets of synonyms, as METEOR and SPICE look words up in them (spec/05 sections 4.3, 4.4, 4.8).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace patchioner {

/// Words to the numbers of their sets. The numbers carry no part of speech, as in METEOR: where a noun's and
/// a verb's are equal, they count as one set. Immutable. [any-thread]
class SynonymTable {
 public:
  /// The contents of METEOR's english.synsets and english.exceptions. Throws Error of kind data, naming
  /// `place` and the line, when one is cut or broken.
  static SynonymTable from_meteor(std::string synsets, std::string exceptions, const std::string& place);

  /// WordNet 3.0's own folder (index.noun ..., noun.exc ...), as Debian's package wordnet-base installs it.
  /// Throws Error: io, or data when a file is broken.
  static SynonymTable from_wordnet(const std::filesystem::path& folder);

  /// The sets of a word and of its base forms, ascending, each once. The word is in lower case, its parts
  /// joined by '_'.
  std::vector<uint32_t> synsets_of(std::string_view word) const;

 private:
  using Bases = std::vector<std::string_view>;
  void add_of(std::string_view word, std::vector<uint32_t>& synsets) const;
  std::string_view kept(std::string content);

  std::vector<std::unique_ptr<const std::string>> contents_;  ///< what the views below show
  std::unordered_map<std::string_view, std::vector<uint32_t>> synsets_;
  std::unordered_map<std::string_view, Bases> bases_;  ///< of irregular forms
};

}  // namespace patchioner
