// Texts to embeddings: CLIP's tokenizer in front of CLIP's text tower, with the rules about long texts.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <string>

#include "backbones/backbone_options.hpp"
#include "backbones/lazy_tower.hpp"
#include "backbones/text_ids.hpp"
#include "nn/clip_text.hpp"

namespace patchioner {

/// A text tower and the tokenizer that belongs to it. Without a vocabulary only ids can be encoded.
/// [any-thread]
class ClipTextEncoder {
 public:
  /// `name` is the plugin's, for messages while it works. Throws an Error of kind config when the context is
  /// longer than the tower's, and io when there is no such vocabulary. Tower and vocabulary are read when the
  /// first text is encoded; that the vocabulary's ids do not fit the tower's is found then, an Error of kind
  /// config.
  ClipTextEncoder(LazyTower<ClipText> tower, const TextOptions& options, std::string name);

  /// [N,D] float32 on the CPU, without gradients. Longer texts are cut, with one warning a process, or are an
  /// Error of kind data when truncation is off. Without a tokenizer an Error of kind config.
  at::Tensor encode(std::span<const std::string> texts) const;

  /// The same for ids [N,C].
  at::Tensor encode_ids(const at::Tensor& ids) const;

  /// What the tower looks like.
  const ClipTextConfig& config() const { return tower_.config(); }

  /// SHA-256 of everything that decides which vector a text gets: the weights (their digest is given), the
  /// tower's settings, tokenizer, context, and `more` of the plugin's own. Precision and device are left out,
  /// and so is truncation, which only decides which texts get a vector at all.
  std::string digest(const std::string& weights, const std::string& more) const;

 private:
  LazyTower<ClipText> tower_;
  int64_t context_ = 0;
  TextIds ids_;  // without a vocabulary only ids can be encoded
};

}  // namespace patchioner
