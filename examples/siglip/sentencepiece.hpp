// The tokenizer of SigLIP: a SentencePiece unigram model (spiece.model), read and run without the library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace siglip {

class SentencePiece {
 public:
  static constexpr int64_t kEnd =
      1;  // "</s>", which also fills up: special_tokens_map.json of the published models

  /// Reads spiece.model. Throws an Error of kind checkpoint for a file that is none.
  explicit SentencePiece(const std::string& path);

  /// Ids of a text as SigLIP was trained on it: lower case, without punctuation, cut to `length` with the end
  /// marker behind, and filled up with it. Letters outside ASCII are taken as they are; SentencePiece itself
  /// brings them into Unicode's form NFKC first.
  std::vector<int64_t> encode(const std::string& text, size_t length) const;

  /// Changes with the contents of the file.
  uint64_t digest() const { return digest_; }

 private:
  struct Piece {
    int64_t id;
    float score;  ///< log-probability
  };
  void add(std::string_view message, int64_t id);
  std::vector<int64_t> most_likely(const std::string& text) const;

  std::unordered_map<std::string, Piece> pieces_;
  size_t longest_ = 1;       ///< bytes of a piece
  int64_t unknown_ = 0;      ///< id of "<unk>"
  float unknown_score_ = 0;  ///< of a character that no piece holds
  uint64_t digest_ = 0;
};

}  // namespace siglip
