// METEOR's paraphrases: phrases that mean the same (spec/05 sections 4.3 and 4.4).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <unordered_map>
#include <vector>

#include "metrics/meteor_words.hpp"

namespace patchioner {

/// The pairs of phrases that can occur in the texts at hand. [any-thread]
class ParaphraseTable {
 public:
  /// No pairs.
  ParaphraseTable() = default;

  /// Streams the gzip file - triples of lines: a probability, a phrase, its paraphrase - and keeps the pairs
  /// whose words all occur in texts that `words` has read: the others can match nothing in them. Throws
  /// Error: io, or data when the file is damaged or cut.
  static ParaphraseTable read(const std::filesystem::path& file, const MeteorWords& words);

  /// Calls `use(length, paraphrase)` for each pair whose phrase stands at the beginning of `text`: in the
  /// order of the phrase's length, then of the file.
  template <class Use>
  void for_each_at(std::span<const uint32_t> text, Use&& use) const {
    uint32_t node = 0;
    for (size_t length = 1; length <= text.size() && !nodes_.empty(); ++length) {
      const auto next = edges_.find(uint64_t{node} << 32 | text[length - 1]);
      if (next == edges_.end()) {
        return;
      }
      node = next->second;
      for (const Paraphrase& paraphrase : nodes_[node]) {
        use(length, std::span(pool_).subspan(paraphrase.begin, paraphrase.length));
      }
    }
  }

  size_t pairs() const { return pairs_; }

 private:
  struct Paraphrase {
    uint32_t begin;
    uint32_t length;
  };
  void add(std::span<const uint32_t> phrase, std::span<const uint32_t> paraphrase);

  std::unordered_map<uint64_t, uint32_t> edges_;  ///< a node and a word to the node of the longer phrase
  std::vector<std::vector<Paraphrase>> nodes_;    ///< of each phrase; 0 is the empty one
  std::vector<uint32_t> pool_;                    ///< the words of all paraphrases
  size_t pairs_ = 0;
};

}  // namespace patchioner
