#include "backbones/clip_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "backbones/named_results.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "image/pixel_norm.hpp"

namespace patchioner {
namespace {

/// The state of one forward pass, from which results are made when they are asked for.
struct Pass {
  Pass(const VisionTransformer& network, const at::Tensor& pixels, const VitRequest& request, bool final_norm)
      : tower(network),
        out(network.forward(pixels, request)),
        tokens(tower.project(final_norm ? features() : out.tokens_raw).to(at::kFloat)) {}

  const VisionTransformer& tower;
  VitOutput out;
  at::Tensor tokens;  // [B,T,D]

  int64_t heads() const { return tower.config().block.heads; }
  at::Tensor features() const { return tower.normalise(out.tokens_raw); }  // [B,T,W]
  at::Tensor logits() const {
    const double scale = 1.0 / std::sqrt(static_cast<double>(tower.config().block.width / heads()));
    return class_attention_logits(out.qkv_last, heads(), scale, 1);  // [B,H,G]
  }
};

/// Everything that `encode` can hand out by name.
const NamedResults<Pass>& results() {
  static const NamedResults<Pass> list({
      {"tokens_in", [](const Pass& pass) { return pass.out.tokens_in; }},
      {"tokens_raw", [](const Pass& pass) { return pass.out.tokens_raw; }},
      {"tokens_norm", [](const Pass& pass) { return pass.features(); }},
      {"tokens", [](const Pass& pass) { return pass.tokens; }},
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

ClipLoadOptions clip_load_options(const ClipWeightsOptions& options, const PluginContext& context) {
  ClipLoadOptions load;
  load.choices = {options.format, options.config, options.activation, options.heads, options.text_heads};
  load.round_weights_fp16 = options.round_weights_fp16;
  load.position_rule = position_rule_from(options.pos_resample);
  load.device = context.device;
  load.precision = context.precision;
  return load;
}

ClipBackboneParts load_clip_parts(const std::string& plugin, const ClipWeightsOptions& options,
                                  const ClipLoadOptions& load) {
  ClipBackboneParts parts;
  parts.plugin = plugin;
  parts.image_weights = parts.text_weights = StateDict::open(options.weights);
  require_family(
      parts.image_weights, {CheckpointFamily::clip},
      fmt::format("`{}weights` must be a CLIP with a vision transformer", load.choices.option_prefix));
  const ClipModel model = load_clip(ClipCheckpoint(parts.image_weights), load);
  parts.image = model.image;
  parts.text = model.text;
  parts.mean = model.settings.mean;
  parts.std = model.settings.std;
  parts.text_digest = fmt::format("\nround_weights_fp16={}", options.round_weights_fp16);
  return parts;
}

ClipBackbone::ClipBackbone(ClipBackboneParts parts, const ImageOptions& image_options,
                           const TextOptions& text_options, at::Device device)
    : parts_(std::move(parts)), device_(device), map_reduce_(map_reduce_of(image_options)) {
  if (!parts_.image && !parts_.text) {
    throw Error(ErrorKind::checkpoint, "{} holds neither an image tower nor a text tower",
                parts_.image_weights.description());
  }
  if (parts_.image) {
    spec_ = image_spec_of(image_options, parts_.image.config(), parts_.mean.value_or(kClipNorm.mean),
                          parts_.std.value_or(kClipNorm.std));
  }
  if (parts_.text) {
    text_ = std::make_unique<ClipTextEncoder>(parts_.text, text_options, parts_.plugin);
    parts_.text_digest = "text_clean=" + text_options.text_clean + parts_.text_digest;
  }
  dim_ = parts_.image ? parts_.image.config().projection : text_->config().dim;
  if (text_ != nullptr && text_->config().dim != dim_) {
    throw Error(
        ErrorKind::config,
        "{}: the image tower of {} leads to {} dimensions, the text tower of {} to {}; they belong to "
        "different models",
        parts_.plugin, parts_.image_weights.description(), dim_, parts_.text_weights.description(),
        text_->config().dim);
  }
}

BackboneCapabilities ClipBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = has.attention = static_cast<bool>(parts_.image);
  has.text = text_ != nullptr;
  return has;
}

std::string ClipBackbone::text_fingerprint() const {
  return text_ == nullptr ? std::string()
                          : "clip_text:" + text_->digest(parts_.text_weights.digest(), parts_.text_digest);
}

std::vector<std::string> ClipBackbone::intermediate_names() const {
  return results().names();
}

const VisionTransformer& ClipBackbone::image_tower() const {
  if (!parts_.image) {
    throw Error(ErrorKind::checkpoint, "{} holds no image tower; {}", parts_.image_weights.description(),
                parts_.image_advice);
  }
  return *parts_.image;
}

const ClipTextEncoder& ClipBackbone::text_encoder() const {
  if (text_ == nullptr) {
    throw Error(ErrorKind::checkpoint, "{} holds no text tower; {}", parts_.text_weights.description(),
                parts_.text_advice);
  }
  return *text_;
}

ImageFeatures ClipBackbone::encode(const at::Tensor& pixels,
                                   std::span<const std::string> intermediates) const {
  return encode_channels(pixels, intermediates);
}

ImageFeatures ClipBackbone::encode_channels(const at::Tensor& pixels,
                                            std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  const auto wanted = results().makers(intermediates, parts_.plugin);
  const Pass pass(image_tower(), pixels.to(device_), request_for(intermediates), parts_.final_norm);
  ImageFeatures features =
      grid_features(pass.tokens.slice(1, 1), pass.out.rows, pass.out.columns, pass.tokens.select(1, 0),
                    attention_map(pass.logits(), map_reduce_), pixels.device());
  add_results(wanted, pass, pixels.device(), features);
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

}  // namespace patchioner
