#include "talk2dino_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include "backbones/clip_model.hpp"
#include "backbones/named_results.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
Talk2DinoBackbone::Talk2DinoBackbone(Talk2DinoOptions options, const PluginContext& context)
    : options_(std::move(options)),
      context_(context),
      images_(options_, context, "talk2dino", {CheckpointFamily::dinov2, CheckpointFamily::dino},
              "`weights` must be a DINOv2 or a DINO (official, Hugging Face or timm)") {
  const at::NoGradGuard no_gradients;
  if (options_.weights.empty() && options_.projection_weights.empty()) {
    throw Error(ErrorKind::config,
                "there is nothing to load; set `weights` to a DINOv2 checkpoint (images), "
                "`projection_weights` to a "
                "Talk2DINO projection (texts), or both");
  }
  dim_ = images_ ? images_.config().block.width : 0;
  load_texts();
}

void Talk2DinoBackbone::load_texts() {
  if (!options_.projection_weights.empty()) {
    projection_ = load_projection(options_, context_);
    const TextProjectionConfig& config = projection_.projection->config();
    if (images_ && config.out != dim_) {
      throw Error(ErrorKind::config,
                  "the projection leads to {} dimensions, but the image tower has {}; they belong "
                  "to different models",
                  config.out, dim_);
    }
    dim_ = config.out;
  }
  if (options_.clip_text_weights.empty()) {
    return;
  }
  clip_weights_ = StateDict::open(options_.clip_text_weights);
  require_family(clip_weights_, {CheckpointFamily::clip},
                 "`clip_text_weights` must be a CLIP with a text tower");
  ClipLoadOptions load;
  load.choices = {options_.clip_text_format,     options_.clip_text_config,
                  options_.clip_text_activation, 0,
                  options_.clip_text_heads,      "clip_text_"};
  load.image = false;
  load.device = context_.device;
  load.precision = context_.precision;
  const ClipModel model = load_clip(ClipCheckpoint(clip_weights_), load);
  if (!model.text) {
    throw Error(ErrorKind::checkpoint,
                "{} holds no text tower; clip_text_weights needs a whole CLIP or a text-tower checkpoint",
                clip_weights_.description());
  }
  if (projection_.projection != nullptr && projection_.projection->config().in != model.text.config().dim) {
    throw Error(ErrorKind::config,
                "the projection reads {} dimensions, but the CLIP text tower gives {}; the "
                "published one wants ViT-B/16",
                projection_.projection->config().in, model.text.config().dim);
  }
  text_ = std::make_unique<ClipTextEncoder>(model.text, options_, "talk2dino");
}

BackboneCapabilities Talk2DinoBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = has.attention = static_cast<bool>(images_);
  has.text = text_ != nullptr && projection_.projection != nullptr;
  return has;
}

std::string Talk2DinoBackbone::text_fingerprint() const {
  if (projection_.projection == nullptr) {
    return {};
  }
  return text_ == nullptr
             ? projection_.fingerprint
             : projection_.fingerprint +
                   ",clip_text:" + text_->digest(clip_weights_.digest(), "text_clean=" + options_.text_clean);
}

const TextProjection& Talk2DinoBackbone::projection() const {
  if (projection_.projection == nullptr) {
    throw Error(ErrorKind::config,
                "talk2dino: plain DINOv2 has no text side; set `projection_weights` to a Talk2DINO "
                "projection (vitb_mlp_infonce.pth) and "
                "`clip_text_weights` to the CLIP that it was trained with (ViT-B/16)");
  }
  return *projection_.projection;
}

const ClipTextEncoder& Talk2DinoBackbone::text_encoder() const {
  projection();
  if (text_ == nullptr) {
    throw Error(ErrorKind::config,
                "talk2dino: texts cannot be encoded without CLIP's text tower; set `clip_text_weights` "
                "(OpenAI's ViT-B/16)");
  }
  return *text_;
}

at::Tensor Talk2DinoBackbone::project(const at::Tensor& clip_text) const {
  const TextProjectionConfig& config = projection().config();
  if (clip_text.dim() != 2 || clip_text.size(1) != config.in) {
    throw Error(ErrorKind::data, "talk2dino: the projection reads vectors of {} dimensions, got {}",
                config.in, clip_text.dim() == 2 ? std::to_string(clip_text.size(1)) : "no table of vectors");
  }
  return projection().forward(clip_text.to(context_.device)).to(at::kCPU);  // [N,D]
}

ImageFeatures Talk2DinoBackbone::encode(const at::Tensor& pixels,
                                        std::span<const std::string> intermediates) const {
  return images_.encode(pixels, intermediates);
}

at::Tensor Talk2DinoBackbone::encode_text(std::span<const std::string> texts) const {
  const at::NoGradGuard no_gradients;
  return project(text_encoder().encode(texts));  // [N,D]
}

at::Tensor Talk2DinoBackbone::encode_token_ids(const at::Tensor& ids) const {
  const at::NoGradGuard no_gradients;
  return project(text_encoder().encode_ids(ids));  // [N,D]
}

at::Tensor Talk2DinoBackbone::probe(const std::string& name,
                                    const std::map<std::string, at::Tensor>& inputs) const {
  const at::NoGradGuard no_gradients;
  if (name == "position_table") {
    return images_.position_table(inputs);  // [1+N,D]
  }
  if (name == "projection") {
    return project(probe_input(inputs, name, "text"));  // [N,D]
  }
  if (name == "projection_pinv") {
    return projection().pseudo_inverse().to(at::kCPU);  // [C,D]
  }
  if (name == "projection_inverse") {
    return projection()
        .invert(probe_input(inputs, name, "projected").to(context_.device))
        .to(at::kCPU);  // [N,C]
  }
  return Backbone::probe(name, inputs);
}

PATCHIONER_PLUGIN(backbone, talk2dino, "1.0", "DINOv2 patches with Talk2DINO's text projection",
                  Talk2DinoBackbone, Talk2DinoOptions)

}  // namespace patchioner
