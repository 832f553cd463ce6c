#include "proxyclip_pass.hpp"

namespace patchioner {

ProxyClipPass::ProxyClipPass(const VisionTransformer& proxy, const VisionTransformer& clip,
                             const at::Tensor& proxy_pixels, const at::Tensor& clip_pixels,
                             const ProxyClipSettings& settings)
    : settings_(settings), width_(clip.config().block.width) {
  {
    const VitOutput seen = proxy.forward(proxy_pixels);
    rows_ = seen.rows;
    columns_ = seen.columns;
    features_ = proxy.normalise(seen.tokens_raw.slice(1, 1 + proxy.config().registers));  // [B,M,C]
  }
  unit_ = unit_rows(features_);    // [B,M,C]
  mean_ = mean_similarity(unit_);  // [B]
  if (settings.mean_of_batch) {
    mean_ = mean_.mean().expand_as(mean_);  // [B]
  }
  VitRequest request;
  request.last_block = false;
  clip_ = clip.forward(clip_pixels, request);
  const int64_t images = features_.size(0);
  projected_ = at::empty({images, rows_ * columns_, clip.config().projection},
                         features_.options());  // [B,M,D]
  for (int64_t image = 0; image < images; ++image) {
    const at::Tensor mixed =
        mix_values(unit_[image], mean_[image], settings.attention, values_of(image));  // [M,W]
    const at::Tensor last = clip.last_block().project_values(mixed);                   // [M,W]
    projected_[image].copy_(clip.project(clip.normalise(last)));                       // [M,D]
  }
}

at::Tensor ProxyClipPass::as_map(const at::Tensor& tokens) const {
  return tokens.view({tokens.size(0), rows_, columns_, tokens.size(2)}).permute({0, 3, 1, 2});
}

at::Tensor ProxyClipPass::values_of(int64_t image) const {
  const at::Tensor map = clip_.qkv_last[image]
                             .slice(0, 1)
                             .slice(1, 2 * width_)
                             .to(at::kFloat)
                             .reshape({1, clip_.rows, clip_.columns, width_})
                             .permute({0, 3, 1, 2});  // [1,W,rows of CLIP,columns of CLIP]
  return at::upsample_bilinear2d(map, {rows_, columns_}, false)
      .permute({0, 2, 3, 1})
      .reshape({rows_ * columns_, width_});  // [M,W]
}

at::Tensor ProxyClipPass::proxy_features() const {
  return as_map(features_).contiguous();  // [B,C,rows,columns]
}

at::Tensor ProxyClipPass::similarity() const {
  return at::bmm(unit_, unit_.transpose(1, 2));  // [B,M,M]
}

at::Tensor ProxyClipPass::attention() const {
  std::vector<at::Tensor> images;
  for (int64_t image = 0; image < unit_.size(0); ++image) {
    images.push_back(
        attention_rows(unit_[image], mean_[image], settings_.attention, 0, unit_.size(1)));  // [M,M]
  }
  return at::stack(images);  // [B,M,M]
}

at::Tensor ProxyClipPass::values() const {
  std::vector<at::Tensor> images;
  for (int64_t image = 0; image < unit_.size(0); ++image) {
    images.push_back(values_of(image));
  }
  return as_map(at::stack(images)).contiguous();  // [B,W,rows,columns]
}

const NamedResults<ProxyClipPass>& ProxyClipPass::results() {
  using Pass = const ProxyClipPass&;
  static const NamedResults<ProxyClipPass> list({
      {"proxy_feats", [](Pass pass) { return pass.proxy_features(); }},
      {"similarity", [](Pass pass) { return pass.similarity(); }},
      {"proxy_attn", [](Pass pass) { return pass.attention(); }},
      {"tokens_before_last", [](Pass pass) { return pass.tokens_before_last(); }},
      {"v_resized", [](Pass pass) { return pass.values(); }},
      {"x_unnormalised", [](Pass pass) { return pass.projected(); }},
      {"x_norm_patchtokens", [](Pass pass) { return pass.patches(); }},
  });
  return list;
}

}  // namespace patchioner
