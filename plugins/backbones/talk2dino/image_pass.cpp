#include "image_pass.hpp"

#include <algorithm>
#include <patchioner/error.hpp>
#include <utility>

#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

// The reference's factor on the queries, 1/sqrt(64), whatever the heads' real width (spec/03 section 3).
constexpr double kQueryScale = 0.125;

using Maker = at::Tensor (*)(const ImagePass& pass, const VisionTransformer& tower, const VitOutput& out);

const std::vector<std::pair<std::string, Maker>>& makers() {
  using Pass = const ImagePass&;
  using Tower = const VisionTransformer&;
  using Out = const VitOutput&;
  static const std::vector<std::pair<std::string, Maker>> list = {
      {"tokens_in", [](Pass, Tower, Out out) { return out.tokens_in; }},
      {"x_prenorm", [](Pass, Tower, Out out) { return out.tokens_raw; }},
      {"qkv_last", [](Pass, Tower, Out out) { return out.qkv_last.to(at::kFloat); }},
      {"x_norm_clstoken", [](Pass pass, Tower, Out) { return pass.class_token(); }},
      {"x_norm_regtokens", [](Pass pass, Tower, Out) { return pass.registers(); }},
      {"x_norm_patchtokens", [](Pass pass, Tower, Out) { return pass.patches(); }},
      {"cls_attn_true",
       [](Pass, Tower tower, Out out) {
         return class_attention_probabilities(out.qkv_last, tower.config().block.heads);
       }},
      {"self_attn_maps", [](Pass pass, Tower, Out) { return pass.logits(); }},
      {"self_attn", [](Pass pass, Tower, Out) { return pass.map(); }},
      // Means, not sums, over the N patches, as the reference takes them (spec/03 section 3).
      {"avg_self_attn_token",
       [](Pass pass, Tower, Out) { return (pass.map().unsqueeze(-1) * pass.patches()).mean(1); }},  // [B,D]
      {"disentangled_self_attn",
       [](Pass pass, Tower, Out) {
         const at::Tensor patches = pass.patches();  // [B,N,D]
         return at::matmul(at::softmax(pass.logits(), -1), patches) /
                static_cast<double>(patches.size(1));  // [B,Hm,D]
       }},
  };
  return list;
}

}  // namespace

ImagePass::ImagePass(const VisionTransformer& tower, const at::Tensor& pixels, const VitRequest& request,
                     const MapSettings& settings)
    : tower_(tower),
      settings_(settings),
      out_(tower.forward(pixels, request)),
      tokens_(tower.normalise(out_.tokens_raw)),
      first_patch_(1 + tower.config().registers) {}

at::Tensor ImagePass::logits() const {
  return class_attention_logits(out_.qkv_last, settings_.heads, kQueryScale, first_patch_);
}

std::vector<std::string> ImagePass::names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : makers()) {
    names.push_back(name);
  }
  return names;
}

void ImagePass::check_name(const std::string& name) {
  const std::vector<std::string> known = names();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw Error(ErrorKind::data, "the backbone talk2dino has no intermediate '{}'{}", name,
                suggestion(name, known));
  }
}

at::Tensor ImagePass::named(const std::string& name) const {
  check_name(name);
  const auto found = std::find_if(makers().begin(), makers().end(),
                                  [&name](const auto& entry) { return entry.first == name; });
  return found->second(*this, tower_, out_);
}

}  // namespace patchioner
