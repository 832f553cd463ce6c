// ProxyCLIP: CLIP's patches, mixed in the last block by how alike a DINO's patches are (spec/03 section 5).
#include <ATen/core/grad_mode.h>

#include <patchioner/plugin.hpp>

#include "backbones/clip_backbone.hpp"
#include "backbones/dinov2_model.hpp"
#include "image/pixel_norm.hpp"
#include "proxyclip_options.hpp"
#include "proxyclip_pass.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kProxyWanted = "proxyclip's `proxy_weights` must be a DINO or a DINOv2";

/// Both halves, opened and checked.
struct ProxyClipParts {
  ClipBackboneParts clip;
  LazyTower<VisionTransformer> proxy;
};

ClipBackboneParts load_clip_half(const ProxyClipOptions& options, const PluginContext& context) {
  if (options.clip_weights.empty()) {
    throw Error(ErrorKind::config,
                "there is no CLIP; set `clip_weights` to a checkpoint with both towers (the published model: "
                "OpenAI's ViT-B-16.pt)");
  }
  ClipWeightsOptions weights;
  weights.weights = options.clip_weights;
  weights.format = options.clip_format;
  weights.config = options.clip_config;
  weights.activation = options.clip_activation;
  weights.heads = options.clip_heads;
  weights.text_heads = options.clip_text_heads;
  weights.round_weights_fp16 = options.clip_round_weights_fp16;
  ClipLoadOptions load = clip_load_options(weights, context);
  load.choices.option_prefix = "clip_";
  load.position_rule = PositionRule::bicubic_offset_by_count;
  ClipBackboneParts parts = load_clip_parts("proxyclip", weights, load);
  parts.text_advice = "texts need a whole CLIP as `clip_weights`";
  if (!parts.image) {
    throw Error(ErrorKind::checkpoint,
                "{} holds no image tower, but `clip_weights` must be a CLIP with a vision transformer",
                parts.image_weights.description());
  }
  return parts;
}

LazyTower<VisionTransformer> load_proxy(const ProxyClipOptions& options, const PluginContext& context) {
  if (options.proxy_weights.empty()) {
    const bool dinov2 = options.proxy == "dinov2";
    throw Error(ErrorKind::config,
                "there is no proxy; set `proxy_weights` to a {} checkpoint (published: {})",
                dinov2                    ? "DINOv2"
                : options.proxy == "dino" ? "DINO"
                                          : "DINO or DINOv2",
                dinov2 ? "dinov2_vitb14_reg4_pretrain.pth at 518 pixels"
                       : "dino_vitbase8_pretrain.pth at 296 pixels");
  }
  const StateDict file = StateDict::open(options.proxy_weights);
  require_family(file, {CheckpointFamily::dino, CheckpointFamily::dinov2}, kProxyWanted);
  const Dinov2Checkpoint checkpoint(file);
  const std::string_view family = to_string(checkpoint.family());
  if (options.proxy != "auto" && options.proxy != family) {
    throw Error(ErrorKind::config,
                "proxy is {}, but {} is a {}; set `proxy: {}`, or `proxy_weights` to the file that is meant",
                options.proxy, file.description(), family, family);
  }
  Dinov2LoadOptions load;
  load.heads = options.proxy_heads;
  load.config = options.proxy_config;
  load.device = context.device;
  load.precision = context.precision;
  load.option_prefix = "proxy_";
  return load_dinov2(checkpoint, load);
}

ProxyClipParts load(const ProxyClipOptions& options, const PluginContext& context) {
  const at::NoGradGuard no_gradients;
  return {load_clip_half(options, context), load_proxy(options, context)};
}

/// The text side is CLIP's own.
class ProxyClip : public ClipBackbone {
 public:
  ProxyClip(const ProxyClipOptions& options, const PluginContext& context)
      : ProxyClip(load(options, context), options, context.device) {}

  const ImageSpec& image_spec() const override { return spec_; }
  BackboneCapabilities capabilities() const override {
    BackboneCapabilities has = ClipBackbone::capabilities();
    has.global = has.attention = false;
    return has;
  }
  std::vector<std::string> intermediate_names() const override { return ProxyClipPass::results().names(); }
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;

 private:
  ProxyClip(const ProxyClipParts& parts, const ProxyClipOptions& options, at::Device device)
      : ClipBackbone(parts.clip, options_for_clip(options, parts.proxy.config()), options, device),
        proxy_(parts.proxy),
        device_(device),
        spec_(image_spec_of(options, proxy_.config(), kImageNetNorm.mean, kImageNetNorm.std)),
        settings_{{options.beta, options.gamma}, options.similarity_mean == "batch"},
        imagenet_for_clip_(options.clip_stats == "imagenet"),
        clip_norm_{parts.clip.mean.value_or(kClipNorm.mean), parts.clip.std.value_or(kClipNorm.std)} {}

  /// CLIP sees the input that the proxy sees.
  static ImageOptions options_for_clip(const ImageOptions& options, const VitConfig& proxy) {
    const ImageSpec spec = image_spec_of(options, proxy, kImageNetNorm.mean, kImageNetNorm.std);
    ImageOptions same = options;
    same.resize_dim = spec.resize_dim;
    same.crop_dim = spec.crop_dim;
    return same;
  }

  at::Tensor clip_pixels(const at::Tensor& pixels) const;

  LazyTower<VisionTransformer> proxy_;
  at::Device device_;
  ImageSpec spec_;
  ProxyClipSettings settings_;
  bool imagenet_for_clip_;
  PixelNorm clip_norm_;
};

/// Pixels [B,3,H,W] in ImageNet's normalisation, in CLIP's.
at::Tensor ProxyClip::clip_pixels(const at::Tensor& pixels) const {
  if (imagenet_for_clip_) {
    return pixels;
  }
  std::array<float, 3> factor{};
  std::array<float, 3> shift{};
  for (size_t i = 0; i < 3; ++i) {
    const double deviation = clip_norm_.std.at(i);
    factor.at(i) = static_cast<float>(kImageNetNorm.std.at(i) / deviation);
    shift.at(i) = static_cast<float>((static_cast<double>(kImageNetNorm.mean.at(i)) - clip_norm_.mean.at(i)) /
                                     deviation);
  }
  const auto channels = [&pixels](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values)).view({1, 3, 1, 1}).to(pixels.device());
  };
  return at::addcmul(channels(shift), pixels, channels(factor));  // [B,3,H,W]
}

ImageFeatures ProxyClip::encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  const auto wanted = ProxyClipPass::results().makers(intermediates, "proxyclip");
  const VisionTransformer& proxy = *proxy_;
  const VisionTransformer& clip = image_tower();
  proxy.check_pixels(pixels);
  clip.check_pixels(pixels);
  const at::Tensor input = pixels.to(device_, at::kFloat);
  const ProxyClipPass pass(proxy, clip, input, clip_pixels(input), settings_);
  ImageFeatures features =
      grid_features(pass.patches(), pass.rows(), pass.columns(), {}, {}, pixels.device());
  add_results(wanted, pass, pixels.device(), features);
  return features;
}

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(backbone, proxyclip, "1.0",
                  "CLIP's patches mixed by how alike DINO's or DINOv2's patches are", patchioner::ProxyClip,
                  patchioner::ProxyClipOptions)
