// Sentences to vectors: a MiniLM-type encoder with its WordPiece tokenizer (spec/04 section 12.4).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/bert.hpp"
#include "text/word_pieces.hpp"

namespace patchioner {

/// Immutable; may be shared by threads.
class SentenceEncoder {
 public:
  /// From the folder that a sentence-transformers model is published as: `model.safetensors` or
  /// `pytorch_model.bin`, `config.json`, `vocab.txt`, and `sentence_bert_config.json` when it is there.
  /// Throws Error: io, checkpoint (damaged, names or shapes missing), data (a settings file or vocabulary
  /// that does not belong to the weights).
  static std::shared_ptr<const SentenceEncoder> open(const std::filesystem::path& folder,
                                                     at::Device device = at::kCPU);

  /// Ids of a text with its markers; longer texts are cut.
  std::vector<int64_t> tokenize(std::string_view text) const;

  /// The mean over each text's last states, the markers' too: [N,W] float32 on the CPU. Texts of like length
  /// are computed together, so that nothing is padded.
  at::Tensor mean_states(std::span<const std::string> texts) const;

  /// The same brought to unit length: products of rows are cosines.
  at::Tensor encode(std::span<const std::string> texts) const;

  const Bert& network() const { return network_; }
  int64_t dim() const { return network_.config().width; }
  /// SHA-256 of what decides which vector a text gets: weights, settings, vocabulary.
  const std::string& digest() const { return digest_; }

 private:
  SentenceEncoder(Bert network, std::shared_ptr<const WordPieceTokenizer> tokenizer, size_t most_ids,
                  std::string digest);
  Bert network_;
  std::shared_ptr<const WordPieceTokenizer> tokenizer_;
  size_t most_ids_;
  std::string digest_;
};

}  // namespace patchioner
