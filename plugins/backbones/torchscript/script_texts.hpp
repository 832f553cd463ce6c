// The text side of an exported model: a method that is given ids, behind CLIP's tokenizer.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>

#include "backbones/text_ids.hpp"
#include "batched_method.hpp"
#include "nn/lazy.hpp"
#include "torchscript_options.hpp"

namespace patchioner {

/// [any-thread]
class ScriptTexts {
 public:
  /// `file` holds the method, which options.text_method names. Runs it once, on a text of nothing but zeros,
  /// to find the width of its vectors. Throws Error: data when the method fails there or gives something else
  /// than vectors, io when there is no such vocabulary.
  ScriptTexts(const TorchScriptOptions& options, ScriptMethod method, std::string file);

  /// D.
  int64_t dim() const { return dim_; }

  /// Whether there is a tokenizer; without one only ids can be encoded.
  bool reads_texts() const { return static_cast<bool>(ids_); }

  /// [N,D] float32 on the CPU. Errors are those of TextIds and of encode_ids.
  at::Tensor encode(std::span<const std::string> texts) const;

  /// The same for ids [N,C] (int64). Throws an Error of kind data for anything else, and when the method
  /// fails.
  at::Tensor encode_ids(const at::Tensor& ids) const;

  /// Backbone::text_fingerprint().
  std::string fingerprint() const;

 private:
  TorchScriptOptions options_;
  BatchedMethod method_;
  TextIds ids_;
  std::string features_;
  int64_t dim_ = 0;
  Lazy<std::string> file_digest_;
};

}  // namespace patchioner
