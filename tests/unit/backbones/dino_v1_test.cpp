// DINO (v1) as an image tower: DINOv2's skeleton without LayerScale, registers and mask token (spec/03
// section 2).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <fstream>
#include <patchioner/error.hpp>

#include "backbones/backbone_options.hpp"
#include "backbones/dinov2_model.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

constexpr int64_t kWidth = 8;

/// A DINO under the official names, which are timm's too: two blocks of width 8, patches of 2 on a 2 x 2
/// grid.
Tensors official_tensors() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(31);
  const auto make = [&generator](const std::vector<int64_t>& shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kFloat)) * 0.5;
  };
  Tensors tensors;
  tensors["cls_token"] = make({1, 1, kWidth});
  tensors["pos_embed"] = make({1, 5, kWidth});
  tensors["patch_embed.proj.weight"] = make({kWidth, 3, 2, 2});
  tensors["patch_embed.proj.bias"] = make({kWidth});
  for (const std::string block : {"blocks.0.", "blocks.1."}) {
    for (const char* norm : {"norm1", "norm2"}) {
      tensors[block + norm + ".weight"] = make({kWidth});
      tensors[block + norm + ".bias"] = make({kWidth});
    }
    tensors[block + "attn.qkv.weight"] = make({3 * kWidth, kWidth});
    tensors[block + "attn.qkv.bias"] = make({3 * kWidth});
    tensors[block + "attn.proj.weight"] = make({kWidth, kWidth});
    tensors[block + "attn.proj.bias"] = make({kWidth});
    tensors[block + "mlp.fc1.weight"] = make({4 * kWidth, kWidth});
    tensors[block + "mlp.fc1.bias"] = make({4 * kWidth});
    tensors[block + "mlp.fc2.weight"] = make({kWidth, 4 * kWidth});
    tensors[block + "mlp.fc2.bias"] = make({kWidth});
  }
  tensors["norm.weight"] = make({kWidth});
  tensors["norm.bias"] = make({kWidth});
  return tensors;
}

/// The same as transformers' plain ViT stores it, with the pooler that DINO's files have there.
Tensors hugging_face_tensors(const Tensors& official) {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"blocks.", "encoder.layer."},
      {"norm1.", "layernorm_before."},
      {"norm2.", "layernorm_after."},
      {"attn.proj.", "attention.output.dense."},
      {"mlp.fc1.", "intermediate.dense."},
      {"mlp.fc2.", "output.dense."},
      {"patch_embed.proj.", "embeddings.patch_embeddings.projection."},
      {"pos_embed", "embeddings.position_embeddings"},
      {"cls_token", "embeddings.cls_token"},
  };
  Tensors out = {{"pooler.dense.weight", at::zeros({kWidth, kWidth})},
                 {"pooler.dense.bias", at::zeros({kWidth})}};
  for (const auto& [name, tensor] : official) {
    std::string other = name.starts_with("norm.") ? "layer" + name : name;
    for (const auto& [from, to] : names) {
      if (const size_t place = other.find(from); place != std::string::npos) {
        other.replace(place, from.size(), to);
      }
    }
    if (const size_t place = other.find("attn.qkv."); place != std::string::npos) {
      const std::vector<at::Tensor> parts = tensor.chunk(3);
      for (const size_t i : {0, 1, 2}) {
        const std::string part = std::array<const char*, 3>{"query", "key", "value"}.at(i);
        out[other.substr(0, place) + "attention.attention." + part + "." + other.substr(place + 9)] =
            parts.at(i);
      }
    } else {
      out[other] = tensor;
    }
  }
  return out;
}

LazyTower<VisionTransformer> load(Tensors tensors, int64_t heads = 2, const std::string& config = "") {
  Dinov2LoadOptions options;
  options.heads = heads;
  options.config = config;
  return load_dinov2(Dinov2Checkpoint(StateDict::from_tensors(std::move(tensors))), options);
}

at::Tensor random_pixels(int64_t height, int64_t width) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  return at::randn({1, 3, height, width}, generator, at::TensorOptions(at::kFloat));
}

at::Tensor tokens_of(const VisionTransformer& tower, const at::Tensor& pixels) {
  const at::NoGradGuard no_gradients;
  return tower.normalise(tower.forward(pixels).tokens_raw);
}

TEST_CASE("a DINO is told from a DINOv2 by its tensors, and gets DINO's rules") {
  CHECK((Dinov2Checkpoint(StateDict::from_tensors(official_tensors())).family() == CheckpointFamily::dino));
  const auto tower = load(official_tensors());
  CHECK_FALSE(tower.config().block.layer_scale);
  CHECK_FALSE(tower.config().strict_size);
  CHECK((tower.config().position_rule == PositionRule::bicubic_offset));
  CHECK(tower.config().block.epsilon == 1e-6);
  CHECK(tower.config().final_epsilon == 1e-6);
  CHECK((tower.config().block.activation == Activation::gelu));
  CHECK(tower.config().registers == 0);
  for (const char* dinov2_only : {"mask_token", "register_tokens", "blocks.1.ls2.gamma"}) {
    Tensors tensors = official_tensors();
    tensors[dinov2_only] = at::zeros({1, 1, kWidth});
    CHECK((Dinov2Checkpoint(StateDict::from_tensors(tensors)).family() == CheckpointFamily::dinov2));
  }
}

TEST_CASE("transformers' ViT names give the tokens that DINO's official names give") {
  const at::Tensor pixels = random_pixels(4, 6);
  const at::Tensor expected = tokens_of(*load(official_tensors()), pixels);
  CHECK(expected.size(1) == 7);
  const Tensors other = hugging_face_tensors(official_tensors());
  CHECK((Dinov2Checkpoint(StateDict::from_tensors(other)).family() == CheckpointFamily::dino));
  CHECK(at::equal(tokens_of(*load(other), pixels), expected));
  Tensors classifier = {{"classifier.weight", at::zeros({3, kWidth})}};
  for (const auto& [name, tensor] : other) {
    classifier["vit." + name] = tensor;
  }
  CHECK(at::equal(tokens_of(*load(classifier), pixels), expected));
  Tensors training = {{"teacher.head.mlp.0.weight", at::zeros({3, kWidth})}};
  for (const auto& [name, tensor] : official_tensors()) {
    training["teacher.backbone." + name] = tensor;
  }
  CHECK(at::equal(tokens_of(*load(training), pixels), expected));
}

TEST_CASE("a DINO's heads come from its configuration file, its epsilon does not") {
  const TestFolder folder;
  const std::string file = (folder.path() / "config.json").string();
  std::ofstream(file) << R"({"model_type": "vit", "num_attention_heads": 4, "layer_norm_eps": 1e-12})";
  const auto tower = load(hugging_face_tensors(official_tensors()), 0, file);
  CHECK(tower.config().block.heads == 4);
  CHECK(tower.config().block.epsilon == 1e-6);
  std::ofstream(file) << R"({"model_type": "vit"})";
  CHECK_THROWS_WITH_AS(load(hugging_face_tensors(official_tensors()), 0, file),
                       doctest::Contains("num_attention_heads"), Error);
}

TEST_CASE("DINO leaves out pixels that are no whole patch, DINOv2 refuses them") {
  const at::Tensor pixels = random_pixels(5, 7);
  const auto dino = load(official_tensors());
  CHECK(at::equal(tokens_of(*dino, pixels), tokens_of(*dino, pixels.slice(2, 0, 4).slice(3, 0, 6))));
  ImageOptions options;
  options.resolution = 7;
  CHECK(image_spec_of(options, dino.config(), {}, {}).rows() == 3);
  CHECK_THROWS_WITH_AS(tokens_of(*dino, random_pixels(5, 1)), doctest::Contains("smaller than one patch"),
                       Error);
  Tensors scaled = official_tensors();
  for (const char* name :
       {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.1.ls1.gamma", "blocks.1.ls2.gamma"}) {
    scaled[name] = at::ones({kWidth});
  }
  const auto dinov2 = load(scaled);
  CHECK(at::equal(tokens_of(*dinov2, random_pixels(4, 6)), tokens_of(*dino, random_pixels(4, 6))));
  CHECK_THROWS_WITH_AS(tokens_of(*dinov2, pixels), doctest::Contains("multiples"), Error);
  CHECK_THROWS_WITH_AS(image_spec_of(options, dinov2.config(), {}, {}),
                       doctest::Contains("no multiple of the patch size 2"), Error);
}

TEST_CASE(
    "a DINO resamples its positions for an input that is not square, though its grid is the native one") {
  const at::NoGradGuard no_gradients;
  const auto dino = load(official_tensors());
  VitRequest request;
  request.tokens_in = true;
  const auto entering = [&](const at::Tensor& pixels) { return dino->forward(pixels, request).tokens_in[0]; };
  const at::Tensor wide = random_pixels(4, 5);  // 2 x 2 patches, as the table has
  const at::Tensor native = entering(wide.slice(3, 0, 4));
  const at::Tensor table = official_tensors()["pos_embed"][0];  // [5,8]
  const at::Tensor grid = table.slice(0, 1).t().reshape({1, kWidth, 2, 2});
  const at::Tensor resampled = at::upsample_bicubic2d(grid, {2, 2}, false, 2.1 / 2, 2.1 / 2);
  const at::Tensor moved = resampled.flatten(2)[0].t() - table.slice(0, 1);  // [4,8]
  CHECK(moved.abs().max().item<float>() > 1e-2);
  CHECK(at::allclose((entering(wide) - native).slice(0, 1), moved, 1e-4, 1e-5));
  // A square one is taken as it is, also beside the other in the cache.
  const at::Tensor square = random_pixels(5, 5);
  CHECK(at::equal(entering(square), entering(square.slice(2, 0, 4).slice(3, 0, 4))));
}

TEST_CASE("an incomplete DINO is refused, and a DINOv2 that lost a LayerScale is not taken for one") {
  Tensors tensors = official_tensors();
  tensors.erase("blocks.1.mlp.fc2.bias");
  CHECK_THROWS_WITH_AS(load(tensors), doctest::Contains("blocks.1.mlp.fc2.bias"), Error);
  Tensors other = hugging_face_tensors(official_tensors());
  other.erase("encoder.layer.1.layernorm_after.bias");
  CHECK_THROWS_WITH_AS(load(other), doctest::Contains("encoder.layer.1.layernorm_after.bias"), Error);
  Tensors damaged = official_tensors();
  damaged["blocks.1.ls1.gamma"] = at::ones({kWidth});
  CHECK_THROWS_WITH_AS(load(damaged), doctest::Contains("blocks.0.ls1.gamma"), Error);
  CHECK_THROWS_WITH_AS(load(official_tensors(), 0), doctest::Contains("set `heads`"), Error);
  CHECK_THROWS_WITH_AS(load(official_tensors(), 3),
                       doctest::Contains("cannot be cut into 3 heads; set `heads`"), Error);
  Tensors headless = official_tensors();
  headless.erase("patch_embed.proj.weight");
  CHECK_THROWS_WITH_AS(load(headless, 0), doctest::Contains("missing      patch_embed.proj.weight"), Error);
  Tensors uneven = official_tensors();
  uneven["pos_embed"] = at::zeros({1, 6, kWidth});
  CHECK_THROWS_WITH_AS(load(uneven), doctest::Contains("pos_embed has 6 rows"), Error);
}

}  // namespace
}  // namespace patchioner
