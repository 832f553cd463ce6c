// Learns byte pairs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/byte_pair_files.hpp"

namespace patchioner::emoji {

struct CountedWord {
  std::vector<std::string> symbols;
  int64_t count;  ///< in the corpus
};

/// Merges the most frequent pair of neighbouring symbols, of equal ones the first in the alphabet, until
/// there are `most` merges or no pair is used three times.
MergeList learn_merges(std::vector<CountedWord> words, size_t most);

}  // namespace patchioner::emoji
