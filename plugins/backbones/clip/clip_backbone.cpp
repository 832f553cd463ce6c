#include "clip_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "image/pixel_norm.hpp"
#include "nn/named_results.hpp"

namespace patchioner {
namespace {

/// The state of one forward pass, from which results are made when they are asked for.
struct Pass {
  const VisionTransformer& tower;
  const VitOutput& out;
  bool norm;

  int64_t heads() const { return tower.config().block.heads; }
  at::Tensor features() const { return tower.normalise(out.tokens_raw); }  // [B,T,W]
  at::Tensor tokens() const {
    return tower.project(norm ? features() : out.tokens_raw).to(at::kFloat);
  }  // [B,T,D]
  at::Tensor logits() const {
    const double scale = 1.0 / std::sqrt(static_cast<double>(tower.config().block.width / heads()));
    return class_attention_logits(out.qkv_last, heads(), scale, 1);  // [B,H,G]
  }
};

/// Everything that `encode` can hand out by name.
const NamedResults<Pass>& results() {
  static const NamedResults<Pass> list(
      "clip",
      {
          {"tokens_in", [](const Pass& pass) { return pass.out.tokens_in; }},
          {"tokens_raw", [](const Pass& pass) { return pass.out.tokens_raw; }},
          {"tokens_norm", [](const Pass& pass) { return pass.features(); }},
          {"tokens", [](const Pass& pass) { return pass.tokens(); }},
          {"qkv_last", [](const Pass& pass) { return pass.out.qkv_last.to(at::kFloat); }},
          {"attn_logits", [](const Pass& pass) { return pass.logits(); }},
          {"attn_probs",
           [](const Pass& pass) { return attention_probabilities(pass.out.qkv_last, pass.heads()); }},
          {"attn_map", [](const Pass& pass) { return attention_map(pass.logits(), MapReduce::logits); }},
          {"attn_maps_heads", [](const Pass& pass) { return at::softmax(pass.logits(), -1); }},
      });
  return list;
}

}  // namespace

ClipBackbone::ClipBackbone(ClipOptions options, const PluginContext& context)
    : options_(std::move(options)), context_(context), weights_(StateDict::open(options_.weights)) {
  const at::NoGradGuard no_gradients;
  const ClipCheckpoint checkpoint(weights_);
  ClipLoadOptions load;
  load.choices = {options_.format, options_.config, options_.activation, options_.heads, options_.text_heads};
  load.round_weights_fp16 = options_.round_weights_fp16;
  load.position_rule = position_rule_from(options_.pos_resample);
  load.attention_type = options_.attention_type;
  load.device = context.device;
  load.precision = context.precision;
  const ClipModel model = load_clip(checkpoint, load);
  image_ = model.image;
  if (image_) {
    spec_ = image_spec_of(options_, image_.config(), model.settings.mean.value_or(kClipNorm.mean),
                          model.settings.std.value_or(kClipNorm.std));
  }
  if (model.text) {
    text_ = std::make_unique<ClipTextEncoder>(model.text, options_, "clip");
  }
  if (!image_ && text_ == nullptr) {
    throw Error(ErrorKind::checkpoint, "{} holds neither an image tower nor a text tower",
                weights_.description());
  }
  dim_ = image_ ? image_.config().projection : text_->config().dim;
}

BackboneCapabilities ClipBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = has.attention = static_cast<bool>(image_);
  has.text = text_ != nullptr;
  return has;
}

std::string ClipBackbone::text_fingerprint() const {
  if (text_ == nullptr) {
    return {};
  }
  return "clip_text:" +
         text_->digest(weights_.digest(), fmt::format("text_clean={}\nround_weights_fp16={}",
                                                      options_.text_clean, options_.round_weights_fp16));
}

std::vector<std::string> ClipBackbone::intermediate_names() const {
  return results().names();
}

const VisionTransformer& ClipBackbone::image_tower() const {
  if (!image_) {
    throw Error(ErrorKind::checkpoint,
                "{} holds no image tower; images need a whole CLIP or an image-tower checkpoint",
                weights_.description());
  }
  return *image_;
}

const ClipTextEncoder& ClipBackbone::text_encoder() const {
  if (text_ == nullptr) {
    throw Error(ErrorKind::checkpoint,
                "{} holds no text tower; texts need a whole CLIP or a text-tower checkpoint",
                weights_.description());
  }
  return *text_;
}

ImageFeatures ClipBackbone::encode(const at::Tensor& pixels,
                                   std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  std::vector<std::pair<std::string, NamedResults<Pass>::Maker>> wanted;
  VitRequest request;
  for (const std::string& name : intermediates) {
    wanted.emplace_back(name, results().maker(name));
    request.tokens_in |= name == "tokens_in";
  }
  const VitOutput out = image_tower().forward(pixels.to(context_.device), request);
  const Pass pass{*image_, out, options_.ln_post};
  const at::Tensor tokens = pass.tokens();  // [B,T,D]
  const int64_t images = tokens.size(0);
  ImageFeatures features;
  features.global = tokens.select(1, 0).contiguous().to(pixels.device());  // [B,D]
  features.patches = tokens.slice(1, 1)
                         .reshape({images, out.rows, out.columns, dim_})
                         .to(pixels.device());  // [B,rows,columns,D]
  features.attention = attention_map(pass.logits(), map_reduce_of(options_))
                           .view({images, out.rows, out.columns})
                           .to(pixels.device());  // [B,rows,columns]
  for (const auto& [name, make] : wanted) {
    features.intermediates[name] =
        name == "tokens" ? tokens.to(pixels.device()) : make(pass).to(pixels.device());
  }
  return features;
}

at::Tensor ClipBackbone::encode_text(std::span<const std::string> texts) const {
  return text_encoder().encode(texts);
}

at::Tensor ClipBackbone::encode_token_ids(const at::Tensor& ids) const {
  return text_encoder().encode_ids(ids);
}

at::Tensor ClipBackbone::probe(const std::string& name,
                               const std::map<std::string, at::Tensor>& inputs) const {
  return name == "position_table" ? probe_position_table(image_tower(), inputs)
                                  : Backbone::probe(name, inputs);
}

PATCHIONER_PLUGIN(backbone, clip, "1.0",
                  "CLIP with a vision transformer: OpenAI, open_clip, Hugging Face and timm checkpoints",
                  ClipBackbone, ClipOptions)

}  // namespace patchioner
