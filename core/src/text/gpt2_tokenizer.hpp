// GPT-2's byte-level byte-pair tokenizer (spec/04 section 8).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// How ids become text.
struct Gpt2Decoding {
  bool skip_end_of_text = false;  ///< `<|endoftext|>` is left out; otherwise it stands there as it is written
  bool clean_up_spaces = false;   ///< no space before punctuation and contractions (" ." -> ".")
};

/// The pieces of a text within which bytes are merged: words with the space before them, numbers,
/// punctuation, white space, contractions. Together they are the text, ill-formed UTF-8 replaced.
std::vector<std::string> gpt2_pieces(std::string_view text);

/// Texts to ids and back. Immutable; may be shared by threads.
class Gpt2Tokenizer {
 public:
  /// From `merges.txt` (under any name), from which the ids follow, and optionally from the `vocab.json` that
  /// belongs to it; or from a `tokenizer.json`; or from a folder that holds `merges.txt`, with `vocab.json`
  /// or without, or `tokenizer.json`. Files may be gzip. Throws Error: io, or data when a file is no
  /// vocabulary or the two do not agree.
  static std::shared_ptr<const Gpt2Tokenizer> open(const std::filesystem::path& merges,
                                                   const std::filesystem::path& vocabulary = {});

  ~Gpt2Tokenizer();

  /// Number of ids: 256 bytes, the merges, and `<|endoftext|>`, whose id is the last one.
  int64_t size() const;
  int64_t end_id() const { return size() - 1; }

  /// Ids of a text; `<|endoftext|>` in it is the marker. Never fails: ill-formed UTF-8 is replaced.
  std::vector<int64_t> encode(std::string_view text) const;

  /// Well-formed UTF-8: each maximal ill-formed sequence of the bytes between two markers is one U+FFFD.
  /// Throws an Error of kind data for an id that is no token.
  std::string decode(std::span<const int64_t> ids, const Gpt2Decoding& options = {}) const;

  /// SHA-256 over tokens and merges: equal whatever files they were read from.
  const std::string& digest() const;

 private:
  struct Data;
  explicit Gpt2Tokenizer(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace patchioner
