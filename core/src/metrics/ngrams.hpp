// Words and n-grams as numbers, counted once for BLEU and CIDEr.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/segment.hpp"

namespace patchioner {

inline constexpr size_t kLongestNgram = 4;

/// The n-grams of one text, as numbers of an NgramTable.
class Ngrams {
 public:
  /// Those of `order` words, 1 to kLongestNgram, in ascending order, one that comes again standing as often.
  std::span<const uint32_t> of_order(size_t order) const {
    return std::span(ids_).subspan(begins_[order - 1], begins_[order] - begins_[order - 1]);
  }
  size_t words() const { return begins_[1]; }

 private:
  friend class NgramTable;
  std::vector<uint32_t> ids_;
  std::array<uint32_t, kLongestNgram + 1> begins_ = {};
};

/// Gives a number to each n-gram that it meets. Words are what stands between white space (all of Unicode's,
/// and U+001C to U+001F). [one-thread]
class NgramTable {
 public:
  Ngrams ngrams_of(std::string_view text);

  /// The number of the n-gram of all the words of `text`; 0, which is no n-gram's, when it has none.
  uint32_t number_of(std::string_view text);

  /// One more than the largest number.
  size_t size() const { return size_; }

 private:
  struct Entry {
    uint64_t key = 0;  ///< an n-gram's number and a word's; 0: free
    uint32_t number = 0;
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void split(std::string_view text);
  uint32_t number_of_word(std::string_view word);
  uint32_t extended(uint32_t ngram, uint32_t word);
  void grow();

  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> words_;
  std::vector<Entry> longer_;  ///< open addressing; its size is a power of two
  size_t entries_ = 0;
  uint32_t size_ = 1;            ///< 0 is no number, so that no key is 0
  std::vector<uint32_t> split_;  ///< the words of the text in work
};

/// The n-grams of all texts that are scored together.
struct CountedSegments {
  explicit CountedSegments(std::span<const Segment> segments);

  struct Counted {
    Ngrams candidate;
    std::vector<Ngrams> references;
  };
  NgramTable table;
  std::vector<Counted> segments;
};

/// Calls `use(ngram, count)` for each different n-gram of ascending ones.
template <class Use>
void for_each_count(std::span<const uint32_t> ngrams, Use&& use) {
  for (size_t begin = 0; begin < ngrams.size();) {
    size_t end = begin + 1;
    while (end < ngrams.size() && ngrams[end] == ngrams[begin]) {
      ++end;
    }
    use(ngrams[begin], end - begin);
    begin = end;
  }
}

}  // namespace patchioner
