#include "backbones/dinov2_model.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "backbones/text_projection.hpp"

namespace patchioner {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

constexpr int64_t kWidth = 8;

/// A DINOv2 under the official names: two blocks of width 8, patches of 2 on a 2 x 2 grid.
Tensors official_tensors(int64_t registers, bool swiglu) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(23);
  const auto make = [&generator](const std::vector<int64_t>& shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kFloat)) * 0.5;
  };
  Tensors tensors;
  tensors["cls_token"] = make({1, 1, kWidth});
  tensors["pos_embed"] = make({1, 5, kWidth});
  tensors["mask_token"] = make({1, kWidth});
  if (registers > 0) {
    tensors["register_tokens"] = make({1, registers, kWidth});
  }
  tensors["patch_embed.proj.weight"] = make({kWidth, 3, 2, 2});
  tensors["patch_embed.proj.bias"] = make({kWidth});
  for (const char* index : {"0", "1"}) {
    const std::string block = std::string("blocks.") + index + ".";
    for (const char* norm : {"norm1", "norm2"}) {
      tensors[block + norm + ".weight"] = make({kWidth});
      tensors[block + norm + ".bias"] = make({kWidth});
    }
    tensors[block + "attn.qkv.weight"] = make({3 * kWidth, kWidth});
    tensors[block + "attn.qkv.bias"] = make({3 * kWidth});
    tensors[block + "attn.proj.weight"] = make({kWidth, kWidth});
    tensors[block + "attn.proj.bias"] = make({kWidth});
    tensors[block + "ls1.gamma"] = make({kWidth});
    tensors[block + "ls2.gamma"] = make({kWidth});
    const int64_t hidden = swiglu ? 6 : 16;
    tensors[block + (swiglu ? "mlp.w12.weight" : "mlp.fc1.weight")] =
        make({swiglu ? 2 * hidden : hidden, kWidth});
    tensors[block + (swiglu ? "mlp.w12.bias" : "mlp.fc1.bias")] = make({swiglu ? 2 * hidden : hidden});
    tensors[block + (swiglu ? "mlp.w3.weight" : "mlp.fc2.weight")] = make({kWidth, hidden});
    tensors[block + (swiglu ? "mlp.w3.bias" : "mlp.fc2.bias")] = make({kWidth});
  }
  tensors["norm.weight"] = make({kWidth});
  tensors["norm.bias"] = make({kWidth});
  return tensors;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t place = text.find(from);
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

Tensors hugging_face_tensors(const Tensors& official) {
  Tensors out;
  for (const auto& [name, tensor] : official) {
    std::string other = with(name, "blocks.", "encoder.layer.");
    if (other.find("attn.qkv.") != std::string::npos) {
      const std::vector<at::Tensor> parts = tensor.chunk(3);
      const std::array<const char*, 3> names = {"query", "key", "value"};
      for (size_t i = 0; i < 3; ++i) {
        out[with(other, "attn.qkv.", std::string("attention.attention.") + names[i] + ".")] = parts[i];
      }
      continue;
    }
    other = with(with(other, "attn.proj", "attention.output.dense"), "ls1.gamma", "layer_scale1.lambda1");
    other = with(with(with(other, "ls2.gamma", "layer_scale2.lambda1"), "mlp.w12", "mlp.weights_in"),
                 "mlp.w3", "mlp.weights_out");
    other = with(other, "patch_embed.proj", "embeddings.patch_embeddings.projection");
    other = with(other, "pos_embed", "embeddings.position_embeddings");
    for (const char* token : {"cls_token", "mask_token", "register_tokens"}) {
      other = other == token ? "embeddings." + other : other;
    }
    out[other.starts_with("norm.") ? "layernorm." + other.substr(5) : other] = tensor;
  }
  return out;
}

Tensors timm_tensors(const Tensors& official) {
  Tensors out;
  const bool registers = official.contains("register_tokens");
  for (const auto& [name, tensor] : official) {
    if (name == "mask_token") {
      continue;
    }
    if (name == "cls_token" && registers) {
      out[name] = tensor + official.at("pos_embed").slice(1, 0, 1);
    } else if (name == "pos_embed" && registers) {
      out[name] = tensor.slice(1, 1);
    } else {
      out[with(with(with(name, "register_tokens", "reg_token"), "mlp.w12", "mlp.fc1"), "mlp.w3", "mlp.fc2")] =
          tensor;
    }
  }
  return out;
}

LazyTower<VisionTransformer> load(Tensors tensors) {
  Dinov2LoadOptions options;
  options.heads = 2;
  return load_dinov2(Dinov2Checkpoint(StateDict::from_tensors(std::move(tensors))), options);
}

at::Tensor tokens_of(const VisionTransformer& tower, int64_t height = 4, int64_t width = 6) {
  const at::NoGradGuard no_gradients;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  return tower.normalise(
      tower.forward(at::randn({1, 3, height, width}, generator, at::TensorOptions(at::kFloat))).tokens_raw);
}

TEST_CASE("the architecture of a DINOv2 is read off the tensors") {
  const auto plain = load(official_tensors(0, false));
  CHECK(plain.config().layers == 2);
  CHECK(plain.config().registers == 0);
  CHECK((plain.config().position_rule == PositionRule::bicubic_offset));
  CHECK(plain.config().block.epsilon == 1e-6);
  CHECK(plain.config().block.layer_scale);
  const auto registers = load(official_tensors(4, true));
  CHECK(registers.config().registers == 4);
  CHECK((registers.config().position_rule == PositionRule::bicubic_aa));
  CHECK(registers.config().block.swiglu);
  CHECK(registers.config().block.hidden == 6);
}

TEST_CASE("Hugging Face and timm names give the tokens that the official names give") {
  for (const int64_t registers : {0, 4}) {
    for (const bool swiglu : {false, true}) {
      CAPTURE(registers);
      CAPTURE(swiglu);
      const Tensors official = official_tensors(registers, swiglu);
      const at::Tensor expected = tokens_of(*load(official));
      CHECK(at::allclose(tokens_of(*load(hugging_face_tensors(official))), expected, 1e-4, 1e-5));
      CHECK(at::allclose(tokens_of(*load(timm_tensors(official))), expected, 1e-4, 1e-5));
    }
  }
}

TEST_CASE("prefixes of trainers and chunked block names are seen through") {
  const Tensors official = official_tensors(4, false);
  const at::Tensor expected = tokens_of(*load(official));
  for (const char* prefix : {"backbone.", "teacher.backbone."}) {
    Tensors prefixed = {{"other.weight", at::zeros({1})}};
    for (const auto& [name, tensor] : official) {
      prefixed[prefix + name] = tensor;
    }
    CHECK(at::equal(tokens_of(*load(prefixed)), expected));
  }
  Tensors chunked;
  for (const auto& [name, tensor] : official) {
    chunked[with(with(name, "blocks.0.", "blocks.0.0."), "blocks.1.", "blocks.3.1.")] = tensor;
  }
  CHECK(at::equal(tokens_of(*load(chunked)), expected));
}

TEST_CASE("a tower's tensors are read when it is first used, under whatever mode, and serve every mode") {
  const auto inside = load(official_tensors(0, false));
  {
    const c10::InferenceMode inference;
    (void)tokens_of(*inside);
  }
  const auto outside = load(official_tensors(0, false));
  CHECK(at::equal(tokens_of(*inside), tokens_of(*outside)));
  CHECK_FALSE(inside->positions(2, 2).is_inference());
  CHECK(&*inside == &*LazyTower<VisionTransformer>(inside));
}

TEST_CASE("what is no DINOv2 and what is incomplete is refused") {
  CHECK_THROWS_WITH_AS(load({{"visual.conv1.weight", at::zeros({8, 3, 2, 2})}}),
                       doctest::Contains("a DINOv2 (official, Hugging Face or timm) is wanted here"), Error);
  CHECK_THROWS_WITH_AS(load({{"cls_token", at::zeros({1, 1, 8})},
                             {"patch_embed.proj.weight", at::zeros({8, 3, 2, 2})},
                             {"norm_pre.weight", at::zeros({8})}}),
                       doctest::Contains("the backbone clip reads it"), Error);
  Tensors tensors = official_tensors(0, false);
  tensors["blocks.7.norm1.weight"] = at::zeros({kWidth});
  CHECK_THROWS_WITH_AS(load(tensors),
                       doctest::Contains("the last one is number 7, but number 2 is not there"), Error);
  tensors.erase("blocks.7.norm1.weight");
  tensors["blocks.0.999999.norm1.weight"] = at::zeros({kWidth});
  CHECK_THROWS_WITH_AS(load(tensors), doctest::Contains("number 999999, but number 0 is not there"), Error);
  tensors.erase("blocks.0.999999.norm1.weight");
  tensors.erase("blocks.1.attn.proj.bias");
  CHECK_THROWS_WITH_AS(load(tensors), doctest::Contains("blocks.1.attn.proj.bias"), Error);
  CHECK_THROWS_WITH_AS(load_dinov2(Dinov2Checkpoint(StateDict::from_tensors(official_tensors(0, false))), {}),
                       doctest::Contains("set `heads`"), Error);
  Dinov2LoadOptions three;
  three.heads = 3;
  CHECK_THROWS_WITH_AS(
      load_dinov2(Dinov2Checkpoint(StateDict::from_tensors(official_tensors(0, false))), three),
      doctest::Contains("into 3 heads"), Error);
}

WeightSource given(const Tensors& tensors) {
  return [tensors](const std::string& name, const std::vector<int64_t>& shape) {
    REQUIRE(tensors.at(name).sizes() == at::IntArrayRef(shape));
    return tensors.at(name);
  };
}

TEST_CASE("a projection applies its activation before each hidden layer and none after the last") {
  const Tensors tensors = {{"linear_layer.weight", at::tensor({1.0F, -1.0F}).view({2, 1})},
                           {"linear_layer.bias", at::zeros({2})},
                           {"hidden_layers.0.weight", at::tensor({-2.0F, 0.0F, 0.0F, 1.0F}).view({2, 2})},
                           {"hidden_layers.0.bias", at::tensor({0.0F, 5.0F})}};
  const TextProjection projection({1, 2, 1, Activation::relu}, given(tensors));
  const at::Tensor y = projection.forward(at::tensor({3.0F}).view({1, 1}));
  CHECK(at::equal(
      y, at::tensor({-6.0F, 5.0F}).view({1, 2})));  // relu(3, -3) = (3, 0); a last relu would clip the -6
  CHECK_THROWS_WITH_AS(projection.pseudo_inverse(), doctest::Contains("cannot be inverted"), Error);
}

TEST_CASE("a linear projection is inverted by its pseudo-inverse") {
  const Tensors tensors = {
      {"linear_layer.weight", at::tensor({2.0F, 0.0F, 0.0F, 4.0F, 0.0F, 0.0F}).view({3, 2})},
      {"linear_layer.bias", at::tensor({1.0F, 1.0F, 1.0F})}};
  const TextProjection projection({2, 3, 0, Activation::none}, given(tensors));
  CHECK(at::allclose(projection.pseudo_inverse(),
                     at::tensor({0.5F, 0.0F, 0.0F, 0.0F, 0.25F, 0.0F}).view({2, 3})));
  const at::Tensor text = at::tensor({3.0F, -7.0F}).view({1, 2});
  CHECK(at::allclose(projection.invert(projection.forward(text)), text));
}

TEST_CASE("gradients reach every parameter of a projection") {
  Tensors tensors = {{"linear_layer.weight", at::ones({2, 3})},
                     {"linear_layer.bias", at::ones({2})},
                     {"hidden_layers.0.weight", at::ones({2, 2})},
                     {"hidden_layers.0.bias", at::ones({2})}};
  for (auto& [name, tensor] : tensors) {
    tensor.requires_grad_(true);
  }
  const TextProjection projection({3, 2, 1, Activation::tanh}, given(tensors));
  projection.forward(at::full({1, 3}, 0.1F)).sum().backward();
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    CHECK(tensor.grad().abs().sum().item<float>() > 0);
  }
}

}  // namespace
}  // namespace patchioner
