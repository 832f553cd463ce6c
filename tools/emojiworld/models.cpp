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

VitConfig dino_config() {
  VitConfig config;
  config.block = block(kWidth, 1e-6, Activation::gelu);
  config.layers = 3;
  config.patch_size = kClipPatch;
  config.position_rows = 1 + (kClipSide / kClipPatch) * (kClipSide / kClipPatch);
  config.patch_bias = true;
  config.final_epsilon = 1e-6;
  return config;
}

BlockConfig dinotxt_head_block() {
  BlockConfig config = block(kWidth, 1e-5, Activation::silu);
  config.hidden = 384;  // two thirds of 4 * width, rounded up to a multiple of 64
  config.swiglu = true;
  config.qkv_bias = false;
  config.layer_scale = true;
  return config;
}

ClipTextConfig dinotxt_text_config(int64_t vocabulary) {
  ClipTextConfig config;
  config.block = block(kWidth, 1e-5, Activation::gelu);
  config.block.qkv_bias = false;
  config.layers = 2;
  config.context = kClipContext;
  config.vocabulary = vocabulary;
  config.dim = 2 * kWidth;
  return config;
}

ResNetConfig regionclip_resnet() {
  return {12, {1, 1, 1, 1}};
}

AttentionPoolConfig regionclip_pool() {
  AttentionPoolConfig config;
  config.width = regionclip_resnet().channels();
  config.heads = config.width / 64;
  config.position_rows = 1 + kRegionGrid * kRegionGrid;
  config.dim = kClipDim;
  return config;
}

}  // namespace patchioner::emoji
