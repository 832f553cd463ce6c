// What can be read off one forward pass of DINOv2: tokens, attention maps, by-products (spec/03 sections 1.2
// and 3).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "backbones/named_results.hpp"
#include "nn/attention.hpp"
#include "nn/vit.hpp"

namespace patchioner {

/// The attention map's construction (spec/03 section 3).
struct MapSettings {
  int64_t heads = 16;
  MapReduce reduce = MapReduce::logits;
};

/// One pass over B images. T = 1 + R + N tokens: class, R registers, N patches.
class Dinov2Pass {
 public:
  Dinov2Pass(const VisionTransformer& tower, const at::Tensor& pixels, const VitRequest& request,
             const MapSettings& settings);

  int64_t rows() const { return out_.rows; }
  int64_t columns() const { return out_.columns; }
  const at::Tensor& tokens() const { return tokens_; }                                     // [B,T,D]
  at::Tensor class_token() const { return tokens_.select(1, 0).contiguous(); }             // [B,D]
  at::Tensor registers() const { return tokens_.slice(1, 1, first_patch_).contiguous(); }  // [B,R,D]
  at::Tensor patches() const { return tokens_.slice(1, first_patch_).contiguous(); }       // [B,N,D]
  at::Tensor map() const { return attention_map(logits(), settings_.reduce); }             // [B,N]
  at::Tensor logits() const;                                                               // [B,Hm,N]

  const VisionTransformer& tower() const { return tower_; }
  const VitOutput& out() const { return out_; }

  /// Its named by-products.
  static const NamedResults<Dinov2Pass>& results();

 private:
  const VisionTransformer& tower_;
  MapSettings settings_;
  VitOutput out_;
  at::Tensor tokens_;  // [B,T,D] after the final norm
  int64_t first_patch_ = 1;
};

}  // namespace patchioner
