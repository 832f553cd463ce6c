#include "metrics/meteor_words.hpp"

#include <libstemmer.h>

#include <patchioner/error.hpp>

#include "metrics/utf16.hpp"

namespace patchioner {
namespace {

/// String.hashCode() of Java.
uint32_t java_hash(std::string_view word) {
  uint32_t hash = 0;
  for (const char16_t unit : to_utf16(word)) {
    hash = 31 * hash + unit;
  }
  return hash;
}

}  // namespace

void EnglishStemmer::Close::operator()(sb_stemmer* stemmer) const {
  sb_stemmer_delete(stemmer);
}

EnglishStemmer::EnglishStemmer() : stemmer_(sb_stemmer_new("english", "UTF_8")) {
  if (stemmer_ == nullptr) {
    throw Error(ErrorKind::internal, "libstemmer has no English stemmer for UTF-8");
  }
}

std::string EnglishStemmer::stem(std::string_view word) const {
  const sb_symbol* stem = sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                                          static_cast<int>(word.size()));
  if (stem == nullptr) {
    throw Error(ErrorKind::internal, "libstemmer ran out of memory");
  }
  return {reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(stemmer_.get()))};
}

MeteorWords::Text MeteorWords::read(std::string_view text) {
  Text result;
  for (const std::string& word : meteor_words_of(text, data_.prefixes())) {
    result.push_back(number_of(word));
  }
  return result;
}

const uint32_t* MeteorWords::find(std::string_view word) const {
  const auto found = numbers_.find(word);
  return found == numbers_.end() ? nullptr : &found->second;
}

bool MeteorWords::share_a_synset(uint32_t left, uint32_t right) const {
  const std::vector<uint32_t>& a = words_[left].synsets;
  const std::vector<uint32_t>& b = words_[right].synsets;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      return true;
    }
    a[i] < b[j] ? ++i : ++j;
  }
  return false;
}

uint32_t MeteorWords::number_of(const std::string& word) {
  const auto [found, is_new] = numbers_.emplace(word, static_cast<uint32_t>(words_.size()));
  if (is_new) {
    Word made;
    made.spelling = found->first;  // stays where it is
    made.hash = java_hash(word);
    made.stem_hash = java_hash(stemmer_.stem(word));
    made.is_function_word = data_.is_function_word(word);
    if (data_.synonyms() != nullptr) {
      made.synsets = data_.synonyms()->synsets_of(word);
    }
    words_.push_back(std::move(made));
  }
  return found->second;
}

}  // namespace patchioner
