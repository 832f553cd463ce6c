// BERT's tokenizer: words and punctuation, each cut into the longest pieces that the vocabulary has (spec/04
// section 12.4).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace patchioner {

/// Texts to ids, as the uncased models read them. Immutable; may be shared by threads.
class WordPieceTokenizer {
 public:
  /// From a `vocab.txt` (one token a line, the line number from 0 being its id) or the folder that holds it.
  /// Throws Error: io, or data when it is no such vocabulary: not UTF-8, a token twice, `[CLS]`, `[SEP]` or
  /// `[UNK]` missing.
  static std::shared_ptr<const WordPieceTokenizer> open(const std::filesystem::path& vocabulary);

  /// `[CLS]`, the pieces, `[SEP]`: at most `most` ids, of which the pieces are cut. Case, accents and control
  /// characters are taken off first; a Chinese character is a word of its own. A word that cannot be put
  /// together from pieces, or of more than 100 characters, is `[UNK]`. Ill-formed UTF-8 is left out.
  std::vector<int64_t> encode(std::string_view text, size_t most) const;

  /// Number of ids.
  int64_t size() const { return size_; }
  /// SHA-256 of the file.
  const std::string& digest() const { return digest_; }

 private:
  WordPieceTokenizer() = default;
  void append_word(std::u32string_view word, std::vector<int64_t>& ids) const;
  std::unordered_map<std::string, int64_t> ids_;
  int64_t size_ = 0;
  int64_t start_id_ = 0;
  int64_t end_id_ = 0;
  int64_t unknown_id_ = 0;
  std::string digest_;
};

}  // namespace patchioner
