// CLIP's byte-pair tokenizer (spec/02 section 10).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/clean_text.hpp"

namespace patchioner {

/// Texts to ids and back. Immutable; may be shared by threads.
class ClipTokenizer {
 public:
  /// From `bpe_simple_vocab_16e6.txt.gz` (or its plain text), or from a folder or `vocab.json` with
  /// `merges.txt` beside it. A file is told by its content. Throws Error: io, or data when the file is no
  /// vocabulary.
  static std::shared_ptr<const ClipTokenizer> open(const std::filesystem::path& vocabulary,
                                                   TextClean clean = TextClean::full);

  ~ClipTokenizer();

  int64_t start_id() const;
  int64_t end_id() const;
  /// Number of ids.
  int64_t size() const;

  /// Ids of a text without markers. Never fails: ill-formed UTF-8 is replaced.
  std::vector<int64_t> encode(std::string_view text) const;

  /// [N,context] int64: start, ids, end, zeros. A longer text is cut and its last id becomes the end marker
  /// when `truncate`; otherwise an Error of kind data names it.
  at::Tensor tokenize(std::span<const std::string> texts, int64_t context, bool truncate) const;

  /// Text of ids, every id included; `</w>` becomes a space, so a caption ends with one (10.5). Throws an
  /// Error of kind data for an id that the vocabulary does not have.
  std::string decode(std::span<const int64_t> ids) const;

  /// The piece of one id as text; bytes that are no whole character become U+FFFD. Errors as decode.
  std::string token_text(int64_t id) const;

  /// SHA-256 of the vocabulary's content: its tokens and merges, whichever form of file they came from.
  const std::string& digest() const;

 private:
  struct Data;
  explicit ClipTokenizer(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace patchioner
