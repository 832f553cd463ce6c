#include "models.hpp"

namespace patchioner::emoji {
namespace {

BlockConfig block(int64_t width, double epsilon, Activation activation) {
  BlockConfig config;
  config.width = width;
  config.heads = width / 64;  // what readers assume when a file says nothing about heads
  config.hidden = 4 * width;
  config.epsilon = epsilon;
  config.activation = activation;
  return config;
}

}  // namespace

VitConfig trunk_config() {
  VitConfig config;
  config.block = block(kWidth, 1e-6, Activation::gelu);
  config.block.layer_scale = true;
  config.layers = 5;
  config.patch_size = kTrunkPatch;
  config.position_rows = 1 + (kTrunkSide / kTrunkPatch) * (kTrunkSide / kTrunkPatch);
  config.registers = 4;
  config.patch_bias = true;
  config.final_epsilon = 1e-6;
  config.position_rule = PositionRule::bicubic_aa;
  config.strict_size = true;
  return config;
}

VitConfig clip_image_config() {
  VitConfig config;
  config.block = block(kWidth, 1e-5, Activation::quick_gelu);
  config.layers = 5;
  config.patch_size = kClipPatch;
  config.position_rows = 1 + (kClipSide / kClipPatch) * (kClipSide / kClipPatch);
  config.pre_norm = true;
  config.projection = kClipDim;
  return config;
}

ClipTextConfig clip_text_config(int64_t vocabulary) {
  ClipTextConfig config;
  config.block = block(kWidth, 1e-5, Activation::quick_gelu);
  config.layers = 4;
  config.context = kClipContext;
  config.vocabulary = vocabulary;
  config.dim = kClipDim;
  return config;
}

}  // namespace patchioner::emoji
