// The words of the texts that METEOR scores, each looked at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/meteor_data.hpp"

struct sb_stemmer;

namespace patchioner {

/// Snowball's English stemmer, as METEOR uses it: libstemmer 2.2's "english". [one-thread]
class EnglishStemmer {
 public:
  EnglishStemmer();
  std::string stem(std::string_view word) const;

 private:
  struct Close {
    void operator()(sb_stemmer* stemmer) const;
  };
  std::unique_ptr<sb_stemmer, Close> stemmer_;
};

/// Texts as numbers of words, and what METEOR's matchers ask of a word. [one-thread]
class MeteorWords {
 public:
  using Text = std::vector<uint32_t>;

  /// `data` must outlive it.
  explicit MeteorWords(const MeteorData& data) : data_(data) {}

  /// Normalises a text and numbers its words.
  Text read(std::string_view text);

  /// The number of a word that a text has, or nothing.
  const uint32_t* find(std::string_view word) const;

  bool is_function_word(uint32_t word) const { return words_[word].is_function_word; }
  bool are_same(uint32_t left, uint32_t right) const { return words_[left].hash == words_[right].hash; }
  bool have_same_stem(uint32_t left, uint32_t right) const {
    return words_[left].stem_hash == words_[right].stem_hash;
  }
  bool share_a_synset(uint32_t left, uint32_t right) const;
  std::string_view spelling(uint32_t word) const { return words_[word].spelling; }

 private:
  /// METEOR compares words and stems by Java's hash of them.
  struct Word {
    std::string_view spelling;
    uint32_t hash = 0;
    uint32_t stem_hash = 0;
    bool is_function_word = false;
    std::vector<uint32_t> synsets;  ///< ascending
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  uint32_t number_of(const std::string& word);

  const MeteorData& data_;
  EnglishStemmer stemmer_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> numbers_;
  std::vector<Word> words_;
};

}  // namespace patchioner
