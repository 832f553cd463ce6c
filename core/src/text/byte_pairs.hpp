// Byte-pair merging, the heart of CLIP's and GPT-2's tokenizers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace patchioner {

/// The byte alphabet of GPT-2 and CLIP: every byte as a printable character. The 188 printable bytes of
/// Latin-1 are themselves, the other 68 are U+0100 and following.
struct ByteAlphabet {
  std::array<uint8_t, 256> order;       ///< the bytes in the alphabet's order: symbol id -> byte
  std::array<uint8_t, 256> position;    ///< byte -> symbol id
  std::array<std::string, 256> symbol;  ///< byte -> its character as UTF-8

  /// Bytes that a text of alphabet characters stands for; any other character is kept as its UTF-8.
  std::string to_bytes(const std::string& symbols) const;

  static const ByteAlphabet& instance();

 private:
  ByteAlphabet();
  std::unordered_map<char32_t, uint8_t> byte_of_;
};

/// Ranked merges of pairs of symbol ids.
class BytePairMerges {
 public:
  /// Adds the next merge in order of rank. A pair that comes again has the later rank.
  void add(int32_t left, int32_t right, int32_t result);

  /// Merges until no ranked pair is left: always the pair of lowest rank, all its occurrences from left to
  /// right. Takes n log n steps for n symbols.
  void apply(std::vector<int32_t>& symbols) const;

 private:
  struct Merge {
    uint32_t rank;
    int32_t result;
  };
  const Merge* find(int32_t left, int32_t right) const;
  std::unordered_map<uint64_t, Merge> merges_;
  uint32_t count_ = 0;
};

}  // namespace patchioner
