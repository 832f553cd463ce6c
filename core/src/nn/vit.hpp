// The vision transformer behind every ViT backbone: CLIP's image tower (norm before the blocks, projection),
// DINO and DINOv2 (registers, LayerScale, SwiGLU). What differs is in VitConfig; what tensors are called is
// in VitNames.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "nn/position_table.hpp"
#include "nn/transformer.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// How the tensors of a vision transformer are called.
struct VitNames {
  std::string class_token;
  std::string positions;
  std::string registers;
  std::string patch_weight;
  std::string patch_bias;
  std::string pre_norm;
  std::string blocks;  ///< prefix of block i's names, before "i."
  BlockNames block;
  std::string final_norm;
  std::string projection;
  std::string projection_bias;
  bool leading_ones =
      false;  ///< tokens and positions are stored as [1,1,W] and [1,T,W] instead of [W] and [T,W]

  /// OpenAI's names under `prefix` ("visual." in a whole CLIP, "" where the image tower stands alone).
  static VitNames openai(const std::string& prefix = "visual.");
  /// The official names of DINO and DINOv2.
  static VitNames dinov2();
};

/// What a vision transformer looks like. `block.mask` and `block.attention_type` are set by the two fields
/// below.
struct VitConfig {
  BlockConfig block;
  int64_t layers = 0;
  int64_t channels = 3;       ///< of pixels; AlphaCLIP's fourth is the mask
  int64_t patch_size = 0;     ///< kernel and stride of the patch embedding, pixels
  int64_t position_rows = 0;  ///< rows of the position table: 1 + M*M
  int64_t registers = 0;      ///< tokens between the class token and the patches that get no position
  bool patch_bias = false;
  bool pre_norm = false;  ///< a LayerNorm before the blocks (CLIP)
  double final_epsilon = 1e-5;
  PositionRule position_rule = PositionRule::bicubic_aa;
  int64_t projection = 0;  ///< D of a projection [W,D] behind the final norm; 0 without one
  bool projection_bias = false;
  int64_t diagonal_last_layers = 0;    ///< the last k blocks look at no other token (INViTE)
  std::string attention_type = "qkv";  ///< of the last block (spec/03 section 3)
  bool strict_size =
      false;  ///< pixels that the patch size does not divide are an error; otherwise the rest is cut off
};

/// Which by-products of a forward pass are wanted.
struct VitRequest {
  bool tokens_in = false;
  /// false: the last block is left out but for its queries, keys and values, and tokens_raw are the tokens
  /// that enter it (ProxyCLIP, spec/03 section 5).
  bool last_block = true;
  /// Only the class token is wanted: tokens_raw is [B,1,W], qkv_last undefined.
  bool class_only = false;
};

/// Results of a forward pass, all float32 but qkv_last. T = 1 + registers + G tokens: class, registers,
/// patches row by row.
struct VitOutput {
  int64_t rows = 0;
  int64_t columns = 0;
  at::Tensor tokens_in;   ///< [B,T,W] entering block 0, when asked for
  at::Tensor tokens_raw;  ///< [B,T,W] out of the last block that was run, before the final norm
  at::Tensor qkv_last;    ///< [B,T,3*W] queries, keys and values of the last block
};

/// Trainable when its source gives tensors that require gradients. [any-thread]
class VisionTransformer {
 public:
  VisionTransformer(const VitConfig& config, const VitNames& names, const WeightSource& source,
                    at::ScalarType precision = at::kFloat);

  /// Throws what `forward` throws for pixels that it cannot take.
  void check_pixels(const at::Tensor& pixels) const;

  /// Pixels [B,C,H,W], normalised; C is config().channels. Throws an Error of kind data for a shape that it
  /// cannot take.
  VitOutput forward(const at::Tensor& pixels, const VitRequest& request = {}) const;

  /// The final norm of any tokens [...,W].
  at::Tensor normalise(const at::Tensor& tokens) const { return final_norm_.forward(tokens); }

  /// The projection of any tokens [...,W] -> [...,D]; without one the tokens themselves.
  at::Tensor project(const at::Tensor& tokens) const;

  const TransformerBlock& last_block() const { return blocks_.back(); }

  /// The position table at the grid of an input that is square in pixels, or is not: [1+rows*columns, W].
  at::Tensor positions(int64_t rows, int64_t columns, bool square_pixels = true) const;

  const VitConfig& config() const { return config_; }

 private:
  at::Tensor embed_patches(const at::Tensor& pixels, int64_t rows, int64_t columns) const;
  int64_t images_at_once(const at::Tensor& pixels) const;
  VitOutput forward_together(const at::Tensor& pixels, const VitRequest& request) const;

  VitConfig config_;
  at::Tensor class_token_;   // [W]
  at::Tensor registers_;     // [R,W]
  at::Tensor patch_weight_;  // [W,C,p,p], only when trainable
  at::Tensor patch_bias_;    // [W]
  at::Tensor projection_;    // [W,D], only when trainable
  PositionTable positions_;
  Linear patch_;
  Linear project_;
  LayerNorm pre_norm_;
  LayerNorm final_norm_;
  std::vector<TransformerBlock> blocks_;
};

}  // namespace patchioner
