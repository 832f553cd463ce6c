#include "backbones/dinov2_pass.hpp"

namespace patchioner {
namespace {

// The reference's factor on the queries, 1/sqrt(64), whatever the heads' real width (spec/03 section 3).
constexpr double kQueryScale = 0.125;

}  // namespace

Dinov2Pass::Dinov2Pass(const VisionTransformer& tower, const at::Tensor& pixels, const VitRequest& request,
                       const MapSettings& settings)
    : tower_(tower),
      settings_(settings),
      out_(tower.forward(pixels, request)),
      tokens_(tower.normalise(out_.tokens_raw)),
      first_patch_(1 + tower.config().registers) {}

at::Tensor Dinov2Pass::logits() const {
  return class_attention_logits(out_.qkv_last, settings_.heads, kQueryScale, first_patch_);
}

const NamedResults<Dinov2Pass>& Dinov2Pass::results() {
  using Pass = const Dinov2Pass&;
  static const NamedResults<Dinov2Pass> list({
      {"tokens_in", [](Pass pass) { return pass.out().tokens_in; }},
      {"x_prenorm", [](Pass pass) { return pass.out().tokens_raw; }},
      {"qkv_last", [](Pass pass) { return pass.out().qkv_last.to(at::kFloat); }},
      {"x_norm_clstoken", [](Pass pass) { return pass.class_token(); }},
      {"x_norm_regtokens", [](Pass pass) { return pass.registers(); }},
      {"x_norm_patchtokens", [](Pass pass) { return pass.patches(); }},
      {"cls_attn_true",
       [](Pass pass) {
         return class_attention_probabilities(pass.out().qkv_last, pass.tower().config().block.heads);
       }},
      {"self_attn_maps", [](Pass pass) { return pass.logits(); }},
      {"self_attn", [](Pass pass) { return pass.map(); }},
      // Means, not sums, over the N patches, as the reference takes them (spec/03 section 3).
      {"avg_self_attn_token",
       [](Pass pass) { return (pass.map().unsqueeze(-1) * pass.patches()).mean(1); }},  // [B,D]
      {"disentangled_self_attn",
       [](Pass pass) {
         const at::Tensor patches = pass.patches();  // [B,N,D]
         return at::matmul(at::softmax(pass.logits(), -1), patches) /
                static_cast<double>(patches.size(1));  // [B,Hm,D]
       }},
  });
  return list;
}

}  // namespace patchioner
