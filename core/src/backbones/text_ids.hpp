// Texts to the rows of ids that a text tower reads: CLIP's tokenizer, with the rules about long texts.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>

#include "backbones/backbone_options.hpp"
#include "nn/lazy.hpp"
#include "text/clip_tokenizer.hpp"

namespace patchioner {

/// Cheap to copy. [any-thread]
class TextIds {
 public:
  /// Rows of `context` ids. The tower knows the ids below `most_ids`; 0 when that is not known. `name` is the
  /// plugin's, for messages. Throws an Error of kind io when there is no such vocabulary; it is read when the
  /// first text comes, and an Error of kind config says then that its ids are not the tower's.
  TextIds(const TextOptions& options, int64_t context, int64_t most_ids, std::string name);

  /// Whether there is a vocabulary.
  explicit operator bool() const { return static_cast<bool>(tokenizer_); }

  /// [N,context] int64. Longer texts are cut, with one warning a process, or are an Error of kind data when
  /// truncation is off. Without a vocabulary an Error of kind config.
  at::Tensor of(std::span<const std::string> texts) const;

  /// What tells one vocabulary from another; "none" without one.
  std::string digest() const;

 private:
  void warn_about_cut(std::span<const std::string> texts, const at::Tensor& ids) const;
  Lazy<ClipTokenizer> tokenizer_;
  int64_t context_ = 0;
  bool truncate_ = true;
  std::string name_;
};

}  // namespace patchioner
