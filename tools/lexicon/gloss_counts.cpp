#include "gloss_counts.hpp"

#include <string_view>
#include <vector>

#include "entities/hyphenated_words.hpp"

namespace patchioner::lexicon {
namespace {

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

/// Words, and "" for every mark between them.
std::vector<std::string> tokens_of(std::string_view gloss) {
  std::vector<std::string> tokens;
  while (!gloss.empty()) {
    const size_t length = hyphenated_length(gloss, is_letter);
    if (length > 0) {
      tokens.emplace_back(gloss.substr(0, length));
    } else if (gloss.front() != ' ') {
      tokens.emplace_back();
    }
    gloss.remove_prefix(std::max<size_t>(length, 1));
  }
  return tokens;
}

const std::unordered_set<std::string> kBeforeSingulars = {"a",   "an",    "the",  "his", "her",
                                                          "its", "their", "your", "my",  "this"};
const std::unordered_set<std::string> kBeforePlurals = {"the",   "of",   "with",  "and",     "or",   "for",
                                                        "by",    "from", "in",    "his",     "her",  "its",
                                                        "their", "two",  "three", "several", "many", "some"};

}  // namespace

GlossCounts::GlossCounts(const WordNet& net, const std::unordered_set<std::string>& phrases) {
  for (const std::string& gloss : net.glosses()) {
    const std::vector<std::string> tokens = tokens_of(gloss);
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].empty()) {
        continue;
      }
      ++words_[tokens[i]];
      if (i > 0 && kBeforeSingulars.contains(tokens[i - 1])) {
        ++singulars_[tokens[i]];
      }
      if (i > 0 && kBeforePlurals.contains(tokens[i - 1])) {
        ++plurals_[tokens[i]];
      }
      std::string phrase = tokens[i];
      for (size_t next = i + 1; next < std::min(i + 3, tokens.size()) && !tokens[next].empty(); ++next) {
        phrase += ' ' + tokens[next];
        if (phrases.contains(phrase)) {
          ++words_[phrase];
        }
      }
    }
  }
}

int64_t GlossCounts::at(const Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace patchioner::lexicon
