#include "backbones/dinov2_side.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <patchioner/error.hpp>

#include "backbones/dinov2_model.hpp"
#include "image/pixel_norm.hpp"

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

Dinov2ImageSide::Dinov2ImageSide(const Dinov2Options& options, const PluginContext& context,
                                 std::string plugin, std::initializer_list<CheckpointFamily> families,
                                 std::string_view wanted)
    : device_(context.device), plugin_(std::move(plugin)) {
  if (options.weights.empty()) {
    return;
  }
  const at::NoGradGuard no_gradients;
  const StateDict file = StateDict::open(options.weights);
  require_family(file, families, wanted);
  const Dinov2Checkpoint checkpoint(file);
  if (std::find(families.begin(), families.end(), checkpoint.family()) == families.end()) {
    refuse_checkpoint(file, wanted);
  }
  image_ = load_dinov2(
      checkpoint, {options.heads, options.config, options.attention_type, context.device, context.precision});
  map_ = {map_heads(options.map_heads, config()), map_reduce_of(options)};
  spec_ = image_spec_of(options, config(), kImageNetNorm.mean, kImageNetNorm.std);
}

const VisionTransformer& Dinov2ImageSide::tower() const {
  if (!image_) {
    throw Error(ErrorKind::config,
                "{}: images cannot be encoded without an image tower; set `weights` to a DINOv2 checkpoint",
                plugin_);
  }
  return *image_;
}

Dinov2Pass Dinov2ImageSide::pass(const at::Tensor& pixels, std::span<const std::string> intermediates) const {
  return {tower(), pixels.to(device_), request_for(intermediates), map_};
}

ImageFeatures Dinov2ImageSide::encode(const at::Tensor& pixels,
                                      std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  const auto wanted = Dinov2Pass::results().makers(intermediates, plugin_);
  const Dinov2Pass pass = this->pass(pixels, intermediates);
  ImageFeatures features = grid_features(pass.patches(), pass.rows(), pass.columns(), pass.class_token(),
                                         pass.map(), pixels.device());
  add_results(wanted, pass, pixels.device(), features);
  return features;
}

at::Tensor Dinov2ImageSide::position_table(const std::map<std::string, at::Tensor>& inputs) const {
  return probe_position_table(tower(), inputs);  // [1+N,D]
}

}  // namespace patchioner
