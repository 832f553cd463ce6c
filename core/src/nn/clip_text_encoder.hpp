// Texts to embeddings: CLIP's tokenizer in front of CLIP's text tower, with the rules about long texts.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <string>

#include "nn/clip_text.hpp"
#include "text/clip_tokenizer.hpp"

namespace patchioner {

/// A text tower and the tokenizer that belongs to it. [any-thread]
class ClipTextEncoder {
 public:
  /// `tokenizer` may be null: then only ids can be encoded. `context` is the most ids a text may have, 0 for
  /// the tower's own. `name` is the plugin's, for messages. Throws an Error of kind config when the context
  /// is longer than the tower's, or when the tokenizer's ids do not fit the tower's vocabulary.
  ClipTextEncoder(std::shared_ptr<const ClipText> tower, std::shared_ptr<const ClipTokenizer> tokenizer,
                  int64_t context, bool truncate, std::string name);

  /// [N,D] float32 on the CPU, without gradients. Longer texts are cut, with one warning a process, or are an
  /// Error of kind data when truncation is off. Without a tokenizer an Error of kind config.
  at::Tensor encode(std::span<const std::string> texts) const;

  /// The same for ids [N,C].
  at::Tensor encode_ids(const at::Tensor& ids) const;

  const ClipText& tower() const { return *tower_; }

  /// SHA-256 of everything that decides which vector a text gets: the weights (their digest is given), the
  /// tower's settings, tokenizer, context, and `more` of the plugin's own. Precision and device are left out,
  /// and so is truncation, which only decides which texts get a vector at all.
  std::string digest(const std::string& weights, const std::string& more) const;

 private:
  void warn_about_cut(std::span<const std::string> texts, const at::Tensor& ids) const;
  std::shared_ptr<const ClipText> tower_;
  std::shared_ptr<const ClipTokenizer> tokenizer_;
  int64_t context_ = 0;
  bool truncate_ = true;
  std::string name_;
};

/// "full", "basic", "none" as the option `text_clean` says it.
TextClean text_clean_from(const std::string& name);

}  // namespace patchioner
