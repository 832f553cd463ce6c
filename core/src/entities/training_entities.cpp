#include "entities/training_entities.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "entities/hyphenated_words.hpp"
#include "entities/training_words.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

bool is_small_letter(char32_t c) {
  return c >= U'a' && c <= U'z';
}

/// What a caption may end with: the marks of ASCII (spec/04 section 9.1).
bool is_ending(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') ||
         (c >= U'{' && c <= U'~');
}

std::unordered_set<std::string> single_words(const std::unordered_set<std::string>& names) {
  std::unordered_set<std::string> words;
  for (const std::string& name : names) {
    if (name.find(' ') == std::string::npos) {
      words.insert(name);
    }
  }
  return words;
}

void add_once(std::vector<std::string>& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    words.push_back(word);
  }
}

}  // namespace

std::string clean_training_caption(std::string_view caption) {
  std::u32string text(trim(decode_utf8(caption)));
  if (text.empty()) {
    return {};
  }
  if (is_upper_case(text)) {
    text = lower_case(text);
  }
  text[0] = upper_case_letter(text[0]);
  if (!is_ending(text.back())) {
    text.push_back(U'.');
  }
  return encode_utf8(text);
}

std::unordered_set<std::string> single_word_entities(const SceneGraphLexicon& lexicon) {
  return single_words(lexicon.entities);
}

NounExtractor::NounExtractor(const std::unordered_set<std::string>& entities,
                             std::unordered_set<std::string> lemmas)
    : nouns_(single_words(entities)), lemmas_(std::move(lemmas)) {}

NounExtractor::NounExtractor(const SceneGraphLexicon& lexicon)
    : NounExtractor(lexicon.entities, single_word_entities(lexicon)) {}

std::string NounExtractor::lemma(const std::string& word) const {
  // Endings of plurals and what they stand for, tried in this order.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kEndings = {{{"ses", "s"},
                                                                                             {"ves", "f"},
                                                                                             {"xes", "x"},
                                                                                             {"zes", "z"},
                                                                                             {"ches", "ch"},
                                                                                             {"shes", "sh"},
                                                                                             {"men", "man"},
                                                                                             {"ies", "y"},
                                                                                             {"s", ""}}};
  if (word == "women") {
    return "woman";
  }
  if (word == "children") {
    return "child";
  }
  if (word == "men" || word.ends_with("ss") || word.ends_with("us")) {
    return word;
  }
  for (const auto& [ending, singular] : kEndings) {
    if (word.ends_with(ending)) {
      const std::string cut = word.substr(0, word.size() - ending.size()).append(singular);
      if (lemmas_.contains(cut) || is_person_word(cut)) {
        return cut;
      }
    }
  }
  return word;
}

std::vector<std::string> NounExtractor::extract(std::string_view caption) const {
  std::vector<std::string> nouns;
  const std::u32string lowered = lower_case(decode_utf8(caption));
  std::u32string_view rest = lowered;
  while (!rest.empty()) {
    const size_t length = hyphenated_length(rest, is_small_letter);
    if (length > 0) {
      const std::string word = encode_utf8(rest.substr(0, length));
      const std::string singular = lemma(word);
      if (is_person_word(word) || is_person_word(singular) || nouns_.contains(word) ||
          nouns_.contains(singular)) {
        add_once(nouns, singular);
      }
    }
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return nouns;
}

std::vector<std::string> filter_entities(const std::vector<std::string>& entities,
                                         const std::unordered_set<std::string>& vocabulary,
                                         const EntityFilterOptions& options,
                                         const std::function<double()>& draw) {
  const std::vector<std::string> seen(
      entities.begin(),
      entities.begin() + static_cast<std::ptrdiff_t>(std::min(options.max_entities, entities.size())));
  std::vector<std::string> accepted;
  for (const std::string& entity : seen) {
    if (is_person_word(entity)) {
      accepted.emplace_back("person");
    } else if (decode_utf8(entity).size() > 1 && !is_stop_word(entity) && vocabulary.contains(entity)) {
      accepted.push_back(entity);
    }
  }
  if (!options.random_mask && !options.filter_without_mask && !accepted.empty()) {
    accepted = seen;
  }
  std::vector<std::string> kept;
  for (const std::string& entity : accepted) {
    if (!options.random_mask || draw() >= options.mask_probability) {
      add_once(kept, entity);
    }
  }
  return kept;
}

}  // namespace patchioner
