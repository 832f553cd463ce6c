// WordNet's database files (wndb(5WN)): data.*, index.*, cntlist.rev, noun.exc, as Debian's package
// wordnet-base puts them in /usr/share/wordnet.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace patchioner::lexicon {

enum class Part { noun, verb, adjective, adverb };
inline constexpr size_t kParts = 4;

/// Files of the lexicographers that synsets of nouns are from (lexnames(5WN)): what kind of thing it is.
enum class Kind {
  tops = 3,
  act = 4,
  animal = 5,
  artifact = 6,
  attribute = 7,
  body = 8,
  cognition = 9,
  communication = 10,
  event = 11,
  food = 13,
  group = 14,
  location = 15,
  object = 17,
  person = 18,
  phenomenon = 19,
  plant = 20,
  shape = 25,
  substance = 27
};

/// A set of synonyms.
struct Synset {
  int64_t offset = 0;  ///< its name within the part of speech
  Kind kind{};
  bool is_insult = false;          ///< a slur or an obscene word, as its definition says
  bool is_instance = false;        ///< a single thing with a name of its own
  std::vector<std::string> words;  ///< as written, with "_" for spaces
  std::vector<int64_t> hypernyms;  ///< what it is a kind of, or an instance of
};

class WordNet {
 public:
  /// Throws Error: io when a file is missing, data when one is not in WordNet's format.
  static WordNet read(const std::filesystem::path& folder);

  /// The words of a part of speech: lower case, "_" for spaces, with their senses, the most frequent first.
  const std::map<std::string, std::vector<int64_t>>& words(Part part) const { return words_[size_t(part)]; }
  bool has(Part part, const std::string& word) const { return words(part).contains(word); }

  /// How often WordNet's makers met a word in their tagged texts, in one sense (0 is the first) or in all.
  int64_t uses(Part part, const std::string& word, size_t sense) const;
  int64_t uses(Part part, const std::string& word) const;

  const Synset& noun(int64_t offset) const { return nouns_.at(offset); }
  /// The synset of a noun's sense, counted from 1 as WordNet's users write it. Throws an Error of kind data.
  int64_t noun_sense(const std::string& word, size_t number) const;
  /// Whether a synset of nouns is one of `roots` or below one.
  bool is_below(int64_t offset, const std::set<int64_t>& roots) const;

  /// Definitions and examples of all synsets, in lower case.
  const std::vector<std::string>& glosses() const { return glosses_; }

  /// A noun of one or more words (between spaces) in the plural, by the list of exceptions and the rules of
  /// English.
  std::string plural(const std::string& noun) const;

 private:
  void read_data(const std::filesystem::path& path, Part part);
  void read_index(const std::filesystem::path& path, Part part);
  void read_uses(const std::filesystem::path& path);
  void read_exceptions(const std::filesystem::path& path);

  std::array<std::map<std::string, std::vector<int64_t>>, kParts> words_;
  std::array<std::unordered_map<std::string, std::vector<int64_t>>, kParts> uses_;
  std::unordered_map<int64_t, Synset> nouns_;
  std::unordered_map<std::string, std::string> plurals_;
  std::vector<std::string> glosses_;
};

}  // namespace patchioner::lexicon
