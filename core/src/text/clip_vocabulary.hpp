// Reads the vocabulary of a CLIP-style byte-pair tokenizer from any of the forms it is distributed in
// (spec/02 section 10.1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/byte_pairs.hpp"

namespace patchioner {

constexpr const char* kStartOfText = "<|startoftext|>";
constexpr const char* kEndOfText = "<|endoftext|>";
constexpr const char* kEndOfWord = "</w>";

struct ClipVocabulary {
  std::vector<std::string> tokens;  ///< by id, in the byte alphabet
  std::unordered_map<std::string, int32_t> ids;
  BytePairMerges merges;
  int32_t start_id = 0;
  int32_t end_id = 0;
  std::string digest;  ///< SHA-256 over tokens and merges: equal whatever form they were read from

  /// Id of the one-byte symbol, inside a word and as its last symbol.
  std::vector<int32_t> byte_id;
  std::vector<int32_t> last_byte_id;
};

/// `path` is `bpe_simple_vocab_16e6.txt.gz` or its plain text, a `vocab.json` with `merges.txt` beside it, a
/// `tokenizer.json`, or a folder that holds one of them. Told by content, gzip or not. Throws Error: io, or
/// data when it is no vocabulary, or damaged.
ClipVocabulary read_clip_vocabulary(const std::filesystem::path& path);

}  // namespace patchioner
