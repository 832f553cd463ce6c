// The trained towers, loaded from what ships, for the steps that build on them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "batch.hpp"
#include "checkpoint/state_dict.hpp"
#include "models.hpp"
#include "text/clip_tokenizer.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {

// The files of the models in the folder that ships.
inline std::filesystem::path trunk_path(const std::filesystem::path& folder) {
  return folder / "dinov2_reg.pth";
}
inline std::filesystem::path clip_path(const std::filesystem::path& folder) {
  return folder / "clip.pth";
}
inline std::filesystem::path projection_path(const std::filesystem::path& folder) {
  return folder / "talk2dino.pth";
}
inline std::filesystem::path tokenizer_path(const std::filesystem::path& folder) {
  return folder / "tokenizer";
}

class FrozenTowers {
 public:
  /// Opens dinov2_reg, clip and tokenizer in `folder`; errors as StateDict::open and TensorLoader.
  explicit FrozenTowers(const std::filesystem::path& folder);

  /// All tokens after the final norm: class, registers, patches [B,T,W].
  at::Tensor tokens(const at::Tensor& pixels) const;
  /// Patch tokens after the final norm [B,rows,columns,W].
  at::Tensor patches(const at::Tensor& pixels) const;
  /// For each head of the last block, the patches weighted with the class token's attention: [B,H,W].
  at::Tensor head_features(const at::Tensor& pixels) const;
  /// CLIP text features [N,D], not normalised.
  at::Tensor text(const std::vector<std::string>& texts) const;
  /// Changes whenever one of the files does.
  std::string digest() const { return digest_; }
  /// The same of CLIP and the tokenizer alone; reads CLIP's file in `folder`.
  std::string clip_digest(const std::filesystem::path& folder) const;
  const ClipTokenizer& tokenizer() const { return *tokenizer_; }

 private:
  std::shared_ptr<const ClipTokenizer> tokenizer_;
  std::unique_ptr<VisionTransformer> trunk_;
  std::unique_ptr<ClipText> text_;
  std::string digest_;
};

/// Gives the parameters of an image tower under `prefix` the values of CLIP's; the weights of channels beyond
/// the colours begin as zeros.
void take_clip_image_tower(const std::filesystem::path& folder, Parameters& parameters,
                           const std::string& prefix, int64_t channels = 3);

/// Ids [N,T] cut to the longest text.
at::Tensor ids_of(const ClipTokenizer& tokenizer, const std::vector<std::string>& texts);

/// The projection of Talk2DINO (spec/03 section 4.2): linear, tanh, linear.
at::Tensor project_text(const WeightSource& source, const at::Tensor& text);

at::Tensor unit(const at::Tensor& x);

}  // namespace patchioner::emoji
