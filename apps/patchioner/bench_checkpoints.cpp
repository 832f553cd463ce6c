#include "bench_checkpoints.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>

namespace patchioner {
namespace {

namespace fs = std::filesystem;

bool is_gain(std::string_view name) {
  return name.ends_with("weight") || name.ends_with("gamma") || name.ends_with("running_var");
}

/// Numbers that keep activations near 1 from layer to layer: gains about 1, matrices by their fan-in.
at::Tensor random_values(const TensorInfo& info, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  at::Tensor values = at::randn(info.shape, generator, at::TensorOptions(at::kFloat));
  if (info.shape.size() > 1) {
    values.mul_(1 / std::sqrt(static_cast<double>(values.numel() / values.size(0))));
  } else {
    constexpr double kVectorScale = 0.02;
    values.mul_(kVectorScale).add_(is_gain(info.name) ? 1 : 0);
  }
  return values.to(info.dtype);
}

/// Collects the tensors of a checkpoint.
class Writer {
 public:
  explicit Writer(std::string name) { made_.name = std::move(name); }

  void add(const std::string& name, std::vector<int64_t> shape, at::ScalarType dtype = at::kFloat) {
    TensorInfo info{name, std::move(shape), dtype};
    const uint64_t seed = made_.tensors.size() + 1;
    made_.tensors.push_back({info, [info, seed] { return random_values(info, seed); }, std::nullopt});
  }
  void add_number(const std::string& name, at::ScalarType dtype, int64_t value) {
    made_.tensors.push_back(
        {{name, {}, dtype}, [dtype, value] { return at::scalar_tensor(value, dtype); }, std::nullopt});
  }
  /// "<name>.weight" [out,in] and "<name>.bias" [out].
  void add_linear(const std::string& name, int64_t in, int64_t out, at::ScalarType dtype = at::kFloat) {
    add(name + ".weight", {out, in}, dtype);
    add(name + ".bias", {out}, dtype);
  }
  void add_norm(const std::string& name, int64_t width) {
    add(name + ".weight", {width});
    add(name + ".bias", {width});
  }

  RandomCheckpoint done() { return std::move(made_); }

 private:
  RandomCheckpoint made_;
};

constexpr int64_t kClipLayers = 12;
constexpr int64_t kClipDim = 512;
constexpr int64_t kClipTextWidth = 512;
constexpr int64_t kVocabulary = 49408;

/// What CLIP's towers are stored with.
struct ClipStorage {
  at::ScalarType matrices = at::kFloat;
  const char* in_proj = "attn.in_proj_";  ///< before "weight" and "bias"
};

void add_clip_blocks(Writer& writer, const std::string& prefix, int64_t width, const ClipStorage& storage) {
  for (int64_t layer = 0; layer < kClipLayers; ++layer) {
    const std::string block = fmt::format("{}transformer.resblocks.{}.", prefix, layer);
    writer.add(block + storage.in_proj + "weight", {3 * width, width}, storage.matrices);
    writer.add(block + storage.in_proj + "bias", {3 * width}, storage.matrices);
    writer.add_linear(block + "attn.out_proj", width, width, storage.matrices);
    writer.add_norm(block + "ln_1", width);
    writer.add_linear(block + "mlp.c_fc", width, 4 * width, storage.matrices);
    writer.add_linear(block + "mlp.c_proj", 4 * width, width, storage.matrices);
    writer.add_norm(block + "ln_2", width);
  }
}

/// The image tower of a ViT-B/16 with a position table of `grid` x `grid` patches.
void add_clip_image(Writer& writer, const std::string& prefix, int64_t grid, const ClipStorage& storage) {
  const int64_t width = width_of(VitSize::b);
  writer.add(prefix + "class_embedding", {width});
  writer.add(prefix + "positional_embedding", {1 + grid * grid, width});
  writer.add(prefix + "proj", {width, kClipDim}, storage.matrices);
  writer.add(prefix + "conv1.weight", {width, 3, 16, 16}, storage.matrices);
  writer.add_norm(prefix + "ln_pre", width);
  add_clip_blocks(writer, prefix, width, storage);
  writer.add_norm(prefix + "ln_post", width);
}

void add_clip_text(Writer& writer, const std::string& prefix, int64_t context, const ClipStorage& storage) {
  writer.add(prefix + "positional_embedding", {context, kClipTextWidth});
  writer.add(prefix + "text_projection", {kClipTextWidth, kClipDim}, storage.matrices);
  add_clip_blocks(writer, prefix, kClipTextWidth, storage);
  writer.add(prefix + "token_embedding.weight", {kVocabulary, kClipTextWidth});
  writer.add_norm(prefix + "ln_final", kClipTextWidth);
}

/// Names that DINO's and DINOv2's blocks share.
void add_dino_blocks(Writer& writer, VitSize size, bool layer_scale) {
  const int64_t width = width_of(size);
  const int64_t layers = size == VitSize::b ? 12 : 24;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    writer.add_norm(block + "norm1", width);
    writer.add_linear(block + "attn.qkv", width, 3 * width);
    writer.add_linear(block + "attn.proj", width, width);
    writer.add_norm(block + "norm2", width);
    writer.add_linear(block + "mlp.fc1", width, 4 * width);
    writer.add_linear(block + "mlp.fc2", 4 * width, width);
    if (layer_scale) {
      writer.add(block + "ls1.gamma", {width});
      writer.add(block + "ls2.gamma", {width});
    }
  }
  writer.add_norm("norm", width);
}

void add_frozen_norm(Writer& writer, const std::string& name, int64_t channels) {
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    writer.add(name + part, {channels});
  }
}

void add_convolution(Writer& writer, const std::string& name, const std::string& norm, int64_t in,
                     int64_t out, int64_t kernel) {
  writer.add(name + ".weight", {out, in, kernel, kernel});
  add_frozen_norm(writer, norm, out);
}

}  // namespace

int64_t width_of(VitSize size) {
  return size == VitSize::b ? 768 : 1024;
}

int64_t heads_of(VitSize size) {
  return size == VitSize::b ? 12 : 16;
}

RandomCheckpoint clip_b16_checkpoint() {
  Writer writer("clip_b16");
  const ClipStorage half{at::kHalf};
  add_clip_text(writer, "", 77, half);
  writer.add_number("logit_scale", at::kFloat, 0);
  writer.add_number("input_resolution", at::kLong, 224);
  add_clip_image(writer, "visual.", 14, half);
  return writer.done();
}

RandomCheckpoint denseclip_b16_checkpoint() {
  Writer writer("denseclip_b16");
  add_clip_image(writer, "backbone.", 40, {});
  add_clip_text(writer, "text_encoder.", 13, {});
  writer.add("contexts", {1, 8, kClipTextWidth});
  writer.add("gamma", {kClipTextWidth});
  return writer.done();
}

RandomCheckpoint alphaclip_b16_checkpoint() {
  Writer writer("alphaclip_b16");
  writer.add("conv1_alpha.weight", {width_of(VitSize::b), 1, 16, 16});
  add_clip_image(writer, "", 14, {at::kFloat, "attn.in_proj."});
  return writer.done();
}

RandomCheckpoint regionclip_rn50_checkpoint() {
  constexpr int64_t kWidth = 64;
  constexpr int64_t kDim = 1024;
  constexpr std::array<int64_t, 4> kBlocks = {3, 4, 6, 3};
  Writer writer("regionclip_rn50");
  const std::string prefix = "backbone.";
  add_convolution(writer, prefix + "conv1", prefix + "bn1", 3, kWidth / 2, 3);
  add_convolution(writer, prefix + "conv2", prefix + "bn2", kWidth / 2, kWidth / 2, 3);
  add_convolution(writer, prefix + "conv3", prefix + "bn3", kWidth / 2, kWidth, 3);
  int64_t in = kWidth;
  for (size_t layer = 0; layer < kBlocks.size(); ++layer) {
    const int64_t planes = kWidth << layer;
    for (int64_t index = 0; index < kBlocks[layer]; ++index) {
      const std::string block = fmt::format("{}layer{}.{}.", prefix, layer + 1, index);
      add_convolution(writer, block + "conv1", block + "bn1", in, planes, 1);
      add_convolution(writer, block + "conv2", block + "bn2", planes, planes, 3);
      add_convolution(writer, block + "conv3", block + "bn3", planes, 4 * planes, 1);
      if (index == 0) {
        add_convolution(writer, block + "downsample.0", block + "downsample.1", in, 4 * planes, 1);
      }
      in = 4 * planes;
    }
  }
  const std::string pool = prefix + "attnpool.";
  writer.add(pool + "positional_embedding", {1 + 7 * 7, in});
  for (const char* name : {"q_proj", "k_proj", "v_proj"}) {
    writer.add_linear(pool + name, in, in);
  }
  writer.add_linear(pool + "c_proj", in, kDim);
  return writer.done();
}

RandomCheckpoint dino_b8_checkpoint() {
  const int64_t width = width_of(VitSize::b);
  Writer writer("dino_b8");
  writer.add("cls_token", {1, 1, width});
  writer.add("pos_embed", {1, 1 + 28 * 28, width});
  writer.add("patch_embed.proj.weight", {width, 3, 8, 8});
  writer.add("patch_embed.proj.bias", {width});
  add_dino_blocks(writer, VitSize::b, false);
  return writer.done();
}

RandomCheckpoint dinov2_reg_checkpoint(VitSize size) {
  const int64_t width = width_of(size);
  Writer writer(size == VitSize::b ? "dinov2_b14" : "dinov2_l14");
  writer.add("cls_token", {1, 1, width});
  writer.add("pos_embed", {1, 1 + 37 * 37, width});
  writer.add("register_tokens", {1, 4, width});
  writer.add("mask_token", {1, width});
  writer.add("patch_embed.proj.weight", {width, 3, 14, 14});
  writer.add("patch_embed.proj.bias", {width});
  add_dino_blocks(writer, size, true);
  return writer.done();
}

RandomCheckpoint dinotxt_head_checkpoint(VitSize size) {
  const int64_t width = width_of(size);
  // Two thirds of four times the width, up to a multiple of 64 (spec/03 section 6.1).
  const int64_t hidden = (4 * width * 2 / 3 + 63) / 64 * 64;
  Writer writer(size == VitSize::b ? "dinotxt_head_b14" : "dinotxt_head_l14");
  for (int64_t layer = 0; layer < 2; ++layer) {
    const std::string block = fmt::format("block_list.{}.", layer);
    writer.add_norm(block + "norm1", width);
    writer.add(block + "attn.qkv.weight", {3 * width, width});
    writer.add_linear(block + "attn.proj", width, width);
    writer.add_norm(block + "norm2", width);
    writer.add_linear(block + "mlp.w1", width, hidden);
    writer.add_linear(block + "mlp.w2", width, hidden);
    writer.add_linear(block + "mlp.w3", hidden, width);
    writer.add(block + "ls1.gamma", {width});
    writer.add(block + "ls2.gamma", {width});
  }
  writer.add_norm("ln_final", width);
  return writer.done();
}

std::string CheckpointFolder::torch_file(const RandomCheckpoint& checkpoint) const {
  const fs::path file = path() / (checkpoint.name + ".pth");
  if (!fs::exists(file)) {
    stream_torch_state_dict(file, checkpoint.tensors);
  }
  return file.string();
}

void CheckpointFolder::remove(const RandomCheckpoint& checkpoint) const {
  fs::remove(path() / (checkpoint.name + ".pth"));
}

}  // namespace patchioner
