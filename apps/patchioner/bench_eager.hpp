// The transformers of the backbones as eager PyTorch code computes them: one operator after the other on
// plain float32 weights, nothing fused or prepared that the public code would not fuse or prepare. What
// `bench backbones` measures the plugins against. None of core/src/nn computes here, so that equal results
// say something.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "nn/position_table.hpp"

namespace patchioner::eager {

/// How a public code computes attention.
enum class AttentionCode {
  module,   ///< torch.nn.MultiheadAttention: copies of q, k, v, the fused operator (CLIP and what is built
            ///< from it)
  written,  ///< softmax(q k^T) v written out (DINO, DINOv2 without xFormers, AlphaCLIP)
  fused,    ///< the fused operator on views of the packed product (timm, newer code)
};

/// Tensors of a checkpoint as a module holds them.
class Weights {
 public:
  Weights(const std::string& file, at::Device device);

  /// A float32 copy on the device, named behind the prefix; an Error of kind checkpoint when it is absent.
  at::Tensor operator()(const std::string& name) const;
  /// The same, or an undefined tensor when it is absent.
  at::Tensor find(const std::string& name) const;
  bool contains(const std::string& name) const { return state_dict_.contains(name); }

  Weights at(const std::string& prefix) const;

 private:
  Weights(StateDict state_dict, at::Device device) : state_dict_(std::move(state_dict)), device_(device) {}
  StateDict state_dict_;
  at::Device device_;
};

struct Linear {
  at::Tensor weight;
  at::Tensor bias;  ///< or undefined

  Linear() = default;
  Linear(const Weights& weights, const std::string& name)
      : weight(weights(name + ".weight")), bias(weights.find(name + ".bias")) {}
  at::Tensor operator()(const at::Tensor& x) const;
};

struct Norm {
  at::Tensor weight;
  at::Tensor bias;
  double epsilon = 0;

  Norm() = default;
  Norm(const Weights& weights, const std::string& name, double eps)
      : weight(weights(name + ".weight")), bias(weights(name + ".bias")), epsilon(eps) {}
  at::Tensor operator()(const at::Tensor& x) const;
};

/// Under whose names a tower is stored; what is computed follows from the names, but for what TowerCode says.
enum class Family {
  clip,  ///< OpenAI's: norm before the blocks, QuickGELU, projection; AlphaCLIP's too
  dino,  ///< DINO and DINOv2: erf GELU, LayerScale and registers where they are stored
  head,  ///< DINO.txt's vision head: blocks and a final norm alone, SwiGLU
};

struct TowerCode {
  Family family = Family::clip;
  AttentionCode attention = AttentionCode::module;
  int64_t heads = 12;
  double epsilon = 1e-5;
  PositionRule positions = PositionRule::bicubic_aa;
  bool resampled_when_loaded = true;  ///< false: the position table is resampled in every forward pass
  int64_t masked_last_blocks = 0;     ///< in these a token is masked from all others (INViTE)
};

/// A pre-norm block. [B,T,W] -> [B,T,W].
class Block {
 public:
  Block(const Weights& weights, const TowerCode& code);

  /// `mask` [T,T] is added to the logits, or undefined; `packed`, when given, receives what a hook on the
  /// product of queries, keys and values sees, [B,T,3W].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& mask, at::Tensor* packed = nullptr) const;

  at::Tensor packed(const at::Tensor& x) const { return qkv_(norm1_(x)); }          // [B,T,3W]
  at::Tensor project(const at::Tensor& mixed) const { return projection_(mixed); }  // [B,T,W]

 private:
  at::Tensor attention(const at::Tensor& packed, const at::Tensor& mask) const;
  at::Tensor feed_forward(const at::Tensor& x) const;

  TowerCode code_;
  Norm norm1_;
  Norm norm2_;
  Linear qkv_;
  Linear projection_;
  Linear first_;
  Linear gate_;  // SwiGLU's w1; first_ is then w2
  Linear second_;
  at::Tensor scale1_;
  at::Tensor scale2_;
};

/// A vision transformer.
class Tower {
 public:
  /// `side`: pixels of the square inputs, for what is prepared when the model is loaded.
  Tower(const Weights& weights, const TowerCode& code, int64_t side);

  /// Pixels [B,3,S,S], and a mask channel [B,1,S,S] where the tower has one -> tokens that enter block 0,
  /// [B,T,W].
  at::Tensor embed(const at::Tensor& pixels, const at::Tensor& alpha = {}) const;

  /// Tokens through the first `count` blocks.
  at::Tensor run(at::Tensor tokens, size_t count, at::Tensor* packed_last = nullptr) const;

  const std::vector<Block>& blocks() const { return blocks_; }
  at::Tensor normalise(const at::Tensor& tokens) const { return final_norm_(tokens); }
  at::Tensor project(const at::Tensor& tokens) const { return at::matmul(tokens, projection_); }
  int64_t heads() const { return code_.heads; }
  int64_t registers() const { return registers_.defined() ? registers_.size(1) : 0; }
  int64_t patch() const { return patch_weight_.size(2); }

 private:
  TowerCode code_;
  at::Tensor class_token_;  // [1,1,W]
  at::Tensor positions_;    // [1+G,W], or the stored table
  at::Tensor registers_;    // [1,R,W]
  at::Tensor patch_weight_;
  at::Tensor patch_bias_;
  at::Tensor alpha_weight_;
  Norm pre_norm_;
  std::vector<Block> blocks_;
  Norm final_norm_;
  at::Tensor projection_;  // [W,D]
  at::Tensor mask_;        // [T,T]
};

/// DINO.txt's vision head.
class Head {
 public:
  Head(const Weights& weights, const TowerCode& code);
  at::Tensor operator()(at::Tensor tokens) const;  ///< [B,T,W] -> [B,T,W]

 private:
  std::vector<Block> blocks_;
  Norm final_norm_;
};

}  // namespace patchioner::eager
