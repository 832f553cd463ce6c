#include "talk2dino_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include "image/pixel_norm.hpp"
#include "nn/clip_model.hpp"
#include "nn/dinov2_model.hpp"
#include "nn/named_results.hpp"

namespace patchioner {
namespace {

// The reference's pseudo-heads, by the only width whose models are called "vits" (spec/03 section 3).
constexpr int64_t kReferenceHeads = 16;
constexpr int64_t kReferenceHeadsSmall = 6;
constexpr int64_t kSmallWidth = 384;

int64_t map_heads(const Value& wanted, const VitConfig& tower) {
  const int64_t width = tower.block.width;
  int64_t heads = 0;
  if (!wanted.is_text()) {
    heads = wanted.as_integer();
  } else if (wanted.as_text() == "reference") {
    heads = width == kSmallWidth ? kReferenceHeadsSmall : kReferenceHeads;
  } else if (wanted.as_text() == "model") {
    heads = tower.block.heads;
  } else {
    throw Error(ErrorKind::config, "{}: map_heads is '{}'; expected reference, model or a number",
                wanted.origin().to_string(), wanted.as_text());
  }
  if (heads < 1 || width % heads != 0) {
    throw Error(ErrorKind::config,
                "{}: map_heads: a width of {} cannot be cut into {} heads; use `model` or a divisor",
                wanted.origin().to_string(), width, heads);
  }
  return heads;
}

}  // namespace

Talk2DinoBackbone::Talk2DinoBackbone(Talk2DinoOptions options, const PluginContext& context)
    : options_(std::move(options)), context_(context) {
  const at::NoGradGuard no_gradients;
  if (options_.weights.empty() && options_.projection_weights.empty()) {
    throw Error(ErrorKind::config,
                "there is nothing to load; set `weights` to a DINOv2 checkpoint (images), "
                "`projection_weights` to a "
                "Talk2DINO projection (texts), or both");
  }
  load_images();
  load_texts();
}

void Talk2DinoBackbone::load_images() {
  if (options_.weights.empty()) {
    return;
  }
  const Dinov2Checkpoint checkpoint(StateDict::open(options_.weights));
  image_ = load_dinov2(checkpoint, {options_.heads, options_.config, options_.attention_type, context_.device,
                                    context_.precision});
  const VitConfig& tower = image_.config();
  map_ = {map_heads(options_.map_heads, tower), map_reduce_of(options_)};
  dim_ = tower.block.width;
  spec_ = image_spec_of(options_, tower, kImageNetNorm.mean, kImageNetNorm.std);
}

void Talk2DinoBackbone::load_texts() {
  if (!options_.projection_weights.empty()) {
    projection_ = load_projection(options_, context_);
    const TextProjectionConfig& config = projection_.projection->config();
    if (image_ && config.out != dim_) {
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
  ClipLoadOptions load;
  load.choices = {options_.clip_text_format, options_.clip_text_config, options_.clip_text_activation, 0,
                  options_.clip_text_heads};
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
  has.global = has.attention = static_cast<bool>(image_);
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

const VisionTransformer& Talk2DinoBackbone::image_tower() const {
  if (!image_) {
    throw Error(
        ErrorKind::config,
        "talk2dino: images cannot be encoded without an image tower; set `weights` to a DINOv2 checkpoint");
  }
  return *image_;
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
  const at::NoGradGuard no_gradients;
  std::vector<std::pair<std::string, NamedResults<ImagePass>::Maker>> wanted;
  VitRequest request;
  for (const std::string& name : intermediates) {
    wanted.emplace_back(name, ImagePass::results().maker(name));
    request.tokens_in |= name == "tokens_in";
  }
  const ImagePass pass(image_tower(), pixels.to(context_.device), request, map_);
  const int64_t images = pixels.size(0);
  ImageFeatures features;
  features.global = pass.class_token().to(pixels.device());  // [B,D]
  features.patches = pass.patches()
                         .view({images, pass.rows(), pass.columns(), dim_})
                         .to(pixels.device());  // [B,rows,columns,D]
  features.attention =
      pass.map().view({images, pass.rows(), pass.columns()}).to(pixels.device());  // [B,rows,columns]
  for (const auto& [name, make] : wanted) {
    features.intermediates[name] = make(pass).to(pixels.device());
  }
  return features;
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
    return probe_position_table(image_tower(), inputs);  // [1+N,D]
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
