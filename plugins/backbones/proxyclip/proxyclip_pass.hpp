// One forward pass of ProxyCLIP (spec/03 section 5).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "backbones/named_results.hpp"
#include "nn/unit_length.hpp"
#include "nn/vit.hpp"
#include "proxy_attention.hpp"

namespace patchioner {

/// How a pass is computed.
struct ProxyClipSettings {
  ProxyAttention attention;
  bool mean_of_batch = false;  ///< one mean similarity for all images of the call
};

/// B images through both towers; M = rows * columns of the proxy's grid, n of CLIP's, W and D CLIP's width
/// and dimensions, C the proxy's width. Everything but `patches` is made when it is asked for.
class ProxyClipPass {
 public:
  /// Pixels [B,3,H,W] of the same images in each tower's normalisation.
  ProxyClipPass(const VisionTransformer& proxy, const VisionTransformer& clip, const at::Tensor& proxy_pixels,
                const at::Tensor& clip_pixels, const ProxyClipSettings& settings);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  const at::Tensor& projected() const { return projected_; }                 // [B,M,D]
  at::Tensor patches() const { return unit_rows(projected_); }               // [B,M,D]
  const at::Tensor& tokens_before_last() const { return clip_.tokens_raw; }  // [B,1+n,W]
  at::Tensor proxy_features() const;                                         // [B,C,rows,columns]
  at::Tensor similarity() const;                                             // [B,M,M]
  at::Tensor attention() const;                                              // [B,M,M]
  at::Tensor values() const;                                                 // [B,W,rows,columns]

  /// Its named by-products.
  static const NamedResults<ProxyClipPass>& results();

 private:
  at::Tensor as_map(const at::Tensor& tokens) const;
  at::Tensor values_of(int64_t image) const;

  ProxyClipSettings settings_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
  at::Tensor features_;  // [B,M,C] the proxy's patches after its final norm
  at::Tensor unit_;      // [B,M,C]
  at::Tensor mean_;      // [B]
  VitOutput clip_;
  int64_t width_ = 0;
  at::Tensor projected_;
};

}  // namespace patchioner
