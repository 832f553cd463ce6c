// The data that METEOR 1.5 scores English with: where it lies, what of it is there (spec/05 sections 4.3
// and 4.8).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "metrics/meteor_normalizer.hpp"
#include "metrics/synonym_table.hpp"

namespace patchioner {

/// What takes the place of METEOR's data when none is given.
enum class MeteorFallback {
  wordnet,  ///< synonyms of an installed WordNet; no paraphrases
  none,     ///< nothing: METEOR without its data is refused
};

struct MeteorDataOptions {
  /// METEOR's data: a folder with english.words, english.prefixes, english.synsets, english.exceptions and
  /// paraphrase-en.gz; or meteor-1.5.jar, or a folder that holds it, the paraphrases lying beside it or in
  /// `data` beside it. Empty: `fallback` counts.
  std::filesystem::path data;
  MeteorFallback fallback = MeteorFallback::wordnet;
  std::filesystem::path wordnet = "/usr/share/wordnet";  ///< where Debian's wordnet-base puts it
};

/// What was found. Immutable. [any-thread]
class MeteorData {
 public:
  /// Reads all but the paraphrases. Throws Error: io when `data` is not there, data when it holds none of
  /// METEOR's files or one is damaged, config when no data is given and `fallback` is none.
  static MeteorData open(const MeteorDataOptions& options);

  const NonbreakingPrefixes& prefixes() const { return prefixes_; }
  bool is_function_word(std::string_view word) const { return function_words_.contains(word); }
  /// nullptr: none.
  const SynonymTable* synonyms() const { return synonyms_.get(); }
  /// The gzip file of paraphrases; empty: none.
  const std::filesystem::path& paraphrases() const { return paraphrases_; }

  /// What scores made with it are called: "METEOR" with all data, otherwise a name that says what is missing,
  /// "METEOR(no-paraphrase)" or "METEOR(exact-stem)", since such scores must not be taken for METEOR's.
  std::string metric_name() const;
  /// What is missing and where it was looked for, as a sentence; empty with all data.
  const std::string& missing() const { return missing_; }

 private:
  std::set<std::string, std::less<>> function_words_;
  NonbreakingPrefixes prefixes_;
  std::shared_ptr<const SynonymTable> synonyms_;
  std::filesystem::path paraphrases_;
  std::string missing_;
};

}  // namespace patchioner
