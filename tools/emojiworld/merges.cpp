#include "merges.hpp"

#include <algorithm>
#include <map>

namespace patchioner::emoji {
namespace {

constexpr int64_t kFewestUses = 3;  // of a pair in the corpus, to be merged

using Pair = MergeList::value_type;

}  // namespace

MergeList learn_merges(std::vector<CountedWord> words, size_t most) {
  MergeList merges;
  while (merges.size() < most) {
    std::map<Pair, int64_t> uses;
    for (const CountedWord& word : words) {
      for (size_t i = 1; i < word.symbols.size(); ++i) {
        uses[{word.symbols[i - 1], word.symbols[i]}] += word.count;
      }
    }
    // The most frequent pair; of equal ones the first in the alphabet.
    const auto best = std::max_element(uses.begin(), uses.end(), [](const auto& left, const auto& right) {
      return left.second < right.second;
    });
    if (best == uses.end() || best->second < kFewestUses) {
      break;
    }
    const Pair pair = best->first;
    merges.push_back(pair);
    for (CountedWord& word : words) {
      for (size_t i = 1; i < word.symbols.size(); ++i) {
        if (word.symbols[i - 1] == pair.first && word.symbols[i] == pair.second) {
          word.symbols[i - 1] += pair.second;
          word.symbols.erase(word.symbols.begin() + static_cast<ptrdiff_t>(i));
        }
      }
    }
  }
  return merges;
}

}  // namespace patchioner::emoji
