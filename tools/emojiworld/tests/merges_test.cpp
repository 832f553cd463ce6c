// Byte pairs are learned by frequency, ties by the alphabet.
#include "merges.hpp"

#include <doctest/doctest.h>

using namespace patchioner;
using namespace patchioner::emoji;

TEST_CASE("the most frequent pair is merged first, and pairs of what was merged follow") {
  const std::vector<CountedWord> words = {{{"l", "o", "w"}, 5}, {{"l", "o", "g"}, 4}, {{"a", "b"}, 2}};
  const MergeList merges = learn_merges(words, 10);
  // "lo" 9 times, "low" 5, "log" 4; "ab" is used twice only.
  CHECK(merges == MergeList{{"l", "o"}, {"lo", "w"}, {"lo", "g"}});
  CHECK(learn_merges(words, 1) == MergeList{{"l", "o"}});
}

TEST_CASE("of pairs used equally often the first in the alphabet is merged first") {
  CHECK(learn_merges({{{"c", "d"}, 3}, {{"a", "b"}, 3}}, 10) == MergeList{{"a", "b"}, {"c", "d"}});
}

TEST_CASE("a merged symbol is no part of a second pair in the same word") {
  // "aaa": the left two become one symbol, then "aa"+"a".
  CHECK(learn_merges({{{"a", "a", "a"}, 3}}, 10) == MergeList{{"a", "a"}, {"aa", "a"}});
}
