#include "nn/vit.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "nn/clip_text.hpp"

namespace patchioner {
namespace {

/// Makes every tensor when it is asked for, and keeps it under its name.
class MadeWeights {
 public:
  explicit MadeWeights(bool trainable, uint64_t seed = 3)
      : trainable_(trainable), generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

  WeightSource source() {
    return [this](const std::string& name, const std::vector<int64_t>& shape) {
      auto found = tensors.find(name);
      if (found == tensors.end()) {
        const at::Tensor made = at::randn(shape, generator_, at::TensorOptions(at::kFloat)) * 0.5;
        found = tensors.emplace(name, made.requires_grad_(trainable_)).first;
      }
      REQUIRE(found->second.sizes() == at::IntArrayRef(shape));
      return found->second;
    };
  }

  std::map<std::string, at::Tensor> tensors;

 private:
  bool trainable_;
  at::Generator generator_;
};

VitConfig small_dino() {
  VitConfig config;
  config.block.width = 12;
  config.block.heads = 3;
  config.block.hidden = 20;
  config.block.epsilon = config.final_epsilon = 1e-6;
  config.block.layer_scale = true;
  config.layers = 2;
  config.patch_size = 4;
  config.position_rows = 5;
  config.registers = 2;
  config.patch_bias = true;
  config.position_rule = PositionRule::bicubic_aa;
  config.strict_size = true;
  return config;
}

VitConfig small_clip() {
  VitConfig config;
  config.block.width = 12;
  config.block.heads = 2;
  config.block.hidden = 24;
  config.block.activation = Activation::quick_gelu;
  config.layers = 2;
  config.patch_size = 3;
  config.position_rows = 10;
  config.pre_norm = true;
  config.projection = 5;
  return config;
}

ClipTextConfig small_text() {
  ClipTextConfig config;
  config.block.width = 8;
  config.block.heads = 2;
  config.block.hidden = 16;
  config.block.activation = Activation::quick_gelu;
  config.layers = 2;
  config.context = 7;
  config.vocabulary = 30;
  config.dim = 5;
  return config;
}

at::Tensor random_pixels(at::IntArrayRef shape) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(9);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

TEST_CASE("tokens are the class token, registers without positions, then patches row by row") {
  VitConfig config = small_dino();
  config.block.width = 1;
  config.block.heads = 1;
  config.layers = 0;
  config.patch_size = 2;
  config.registers = 1;
  MadeWeights weights(false);
  weights.tensors = {{"cls_token", at::full({1, 1, 1}, 100.0F)},
                     {"pos_embed", at::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F}).view({1, 5, 1})},
                     {"register_tokens", at::full({1, 1, 1}, 200.0F)},
                     {"patch_embed.proj.weight", at::ones({1, 3, 2, 2})},
                     {"patch_embed.proj.bias", at::full({1}, 1000.0F)},
                     {"norm.weight", at::ones({1})},
                     {"norm.bias", at::zeros({1})}};
  const VisionTransformer tower(config, VitNames::dinov2(), weights.source());
  at::Tensor pixels = at::zeros({1, 3, 4, 4});
  pixels.slice(2, 0, 2).slice(3, 2, 4).fill_(1.0F);  // the upper right patch: 12 ones
  VitRequest request;
  request.tokens_in = true;
  const VitOutput out = tower.forward(pixels, request);
  CHECK(out.rows == 2);
  CHECK(out.columns == 2);
  CHECK(at::equal(out.tokens_in.flatten(), at::tensor({101.0F, 200.0F, 1002.0F, 1015.0F, 1004.0F, 1005.0F})));
}

TEST_CASE("a block adds the scaled attention and feed-forward branches") {
  // Width 2, queries and keys zero: attention is the mean of the values, and the values are the normed tokens
  // themselves.
  BlockConfig config;
  config.width = 2;
  config.heads = 1;
  config.hidden = 1;
  config.epsilon = 0;
  config.layer_scale = true;
  MadeWeights weights(false);
  at::Tensor qkv = at::zeros({6, 2});
  qkv.slice(0, 4).copy_(at::eye(2));
  weights.tensors = {{"norm1.weight", at::ones({2})},
                     {"norm1.bias", at::zeros({2})},
                     {"norm2.weight", at::ones({2})},
                     {"norm2.bias", at::zeros({2})},
                     {"attn.qkv.weight", qkv},
                     {"attn.qkv.bias", at::zeros({6})},
                     {"attn.proj.weight", at::eye(2)},
                     {"attn.proj.bias", at::tensor({0.0F, 1.0F})},
                     {"mlp.fc1.weight", at::zeros({1, 2})},
                     {"mlp.fc1.bias", at::ones({1})},
                     {"mlp.fc2.weight", at::ones({2, 1})},
                     {"mlp.fc2.bias", at::zeros({2})},
                     {"ls1.gamma", at::tensor({10.0F, 20.0F})},
                     {"ls2.gamma", at::tensor({1.0F, 2.0F})}};
  const TransformerBlock block(config, BlockNames::dinov2(), weights.source());
  const at::Tensor x = at::tensor({3.0F, 1.0F, 5.0F, 7.0F, 2.0F, 0.0F}).view({1, 3, 2});
  // The normed tokens are (1,-1), (-1,1), (1,-1): their mean is (1/3,-1/3), scaled with the bias (10/3,
  // 40/3). The feed-forward branch is gelu(1) = 0.8413447 in both places.
  const at::Tensor y = block.forward(x);
  const at::Tensor expected = x + at::tensor({10.0F / 3 + 0.8413447F, 40.0F / 3 + 2 * 0.8413447F});
  CHECK(at::allclose(y, expected, 1e-5, 1e-5));
  CHECK(at::equal(x.flatten(), at::tensor({3.0F, 1.0F, 5.0F, 7.0F, 2.0F, 0.0F})));
}

TEST_CASE("SwiGLU takes the first half of the packed product as the gate") {
  BlockConfig config;
  config.width = 2;
  config.heads = 1;
  config.hidden = 1;
  config.swiglu = true;
  MadeWeights weights(false);
  weights.tensors = {{"norm1.weight", at::ones({2})},         {"norm1.bias", at::zeros({2})},
                     {"norm2.weight", at::ones({2})},         {"norm2.bias", at::zeros({2})},
                     {"attn.qkv.weight", at::zeros({6, 2})},  {"attn.qkv.bias", at::zeros({6})},
                     {"attn.proj.weight", at::zeros({2, 2})}, {"attn.proj.bias", at::zeros({2})},
                     {"mlp.w12.weight", at::zeros({2, 2})},   {"mlp.w12.bias", at::tensor({1.0F, 5.0F})},
                     {"mlp.w3.weight", at::ones({2, 1})},     {"mlp.w3.bias", at::zeros({2})}};
  const TransformerBlock block(config, BlockNames::dinov2(), weights.source());
  const at::Tensor y = block.forward(at::tensor({3.0F, 1.0F}).view({1, 1, 2}));
  CHECK(y[0][0][0].item<float>() == doctest::Approx(3.0 + 5 * 0.7310586));  // 5 silu(1)
}

TEST_CASE("the same tower is trained and used: frozen and trainable weights give the same tokens") {
  for (const bool clip : {false, true}) {
    const VitConfig config = clip ? small_clip() : small_dino();
    const VitNames names = clip ? VitNames::openai() : VitNames::dinov2();
    MadeWeights trainable(true);
    const VisionTransformer trained(config, names, trainable.source());
    MadeWeights frozen(false);
    for (const auto& [name, tensor] : trainable.tensors) {
      frozen.tensors[name] = tensor.detach();
    }
    const VisionTransformer used(config, names, frozen.source());
    const int64_t side = clip ? 12 : 8;
    const at::Tensor pixels = random_pixels({2, 3, side, side});
    const at::Tensor expected = trained.project(trained.normalise(trained.forward(pixels).tokens_raw));
    const at::NoGradGuard no_gradients;
    const at::Tensor ours = used.project(used.normalise(used.forward(pixels).tokens_raw));
    CHECK(at::allclose(ours, expected, 1e-4, 1e-4));
  }
}

TEST_CASE("gradients reach every parameter of both kinds of tower, at the native grid and at another") {
  for (const bool clip : {false, true}) {
    for (const int64_t patches : {3, 4}) {
      const VitConfig config = clip ? small_clip() : small_dino();
      MadeWeights weights(true);
      const VisionTransformer tower(config, clip ? VitNames::openai() : VitNames::dinov2(), weights.source());
      const int64_t side = patches * config.patch_size;
      const at::Tensor tokens = tower.forward(random_pixels({1, 3, side, side})).tokens_raw;
      tower.project(tower.normalise(tokens)).square().sum().backward();
      for (const auto& [name, tensor] : weights.tensors) {
        INFO(name);
        REQUIRE(tensor.grad().defined());
        CHECK(tensor.grad().abs().sum().item<float>() > 0);
      }
    }
  }
}

TEST_CASE("a tower follows its parameters through an update and can be differentiated again") {
  MadeWeights weights(true);
  const VisionTransformer tower(small_clip(), VitNames::openai(), weights.source());
  const at::Tensor pixels = random_pixels({1, 3, 9, 9});
  const auto loss = [&] {
    return tower.project(tower.normalise(tower.forward(pixels).tokens_raw)).square().sum();
  };
  const at::Tensor before = loss();
  before.backward();
  {
    const at::NoGradGuard no_gradients;
    for (auto& [name, tensor] : weights.tensors) {
      tensor.sub_(tensor.grad() * 1e-4);
    }
  }
  const at::Tensor after = loss();
  after.backward();
  CHECK(after.item<float>() < before.item<float>());
}

TEST_CASE("bfloat16 keeps the residual stream in float32 and stays close to it") {
  set_linear_path(LinearPath::plain);  // bfloat16 as asked for, on every processor
  for (const bool clip : {false, true}) {
    VitConfig config = clip ? small_clip() : small_dino();
    config.block.swiglu = !clip;
    const VitNames names = clip ? VitNames::openai() : VitNames::dinov2();
    MadeWeights weights(false);
    const VisionTransformer exact(config, names, weights.source());
    const VisionTransformer rounded(config, names, weights.source(), at::kBFloat16);
    const int64_t side = 3 * config.patch_size;
    const at::NoGradGuard no_gradients;
    const VitOutput wanted = exact.forward(random_pixels({2, 3, side, side}));
    const VitOutput ours = rounded.forward(random_pixels({2, 3, side, side}));
    CHECK((ours.qkv_last.scalar_type() == at::kBFloat16));
    REQUIRE((ours.tokens_raw.scalar_type() == at::kFloat));
    const at::Tensor cosine = at::cosine_similarity(ours.tokens_raw, wanted.tokens_raw, -1);  // [B,T]
    CHECK(cosine.min().item<float>() > 0.999F);
    CHECK_FALSE(at::equal(ours.tokens_raw, wanted.tokens_raw));
  }
  MadeWeights weights(false);
  const ClipText exact(small_text(), weights.source());
  const ClipText rounded(small_text(), weights.source(), at::kBFloat16);
  set_linear_path(LinearPath::automatic);
  const at::NoGradGuard no_gradients;
  const at::Tensor ids = at::tensor({27, 3, 29, 0, 27, 1, 2, 29}, at::kLong).view({2, 4});
  CHECK(at::cosine_similarity(rounded.encode(ids), exact.encode(ids), -1).min().item<float>() > 0.999F);
}

TEST_CASE("each image of a batch gets what it would get alone") {
  MadeWeights weights(false);
  const VisionTransformer tower(small_dino(), VitNames::dinov2(), weights.source());
  const at::Tensor pixels = random_pixels({3, 3, 12, 8});
  const at::Tensor all = tower.forward(pixels).tokens_raw;
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(at::allclose(tower.forward(pixels.slice(0, i, i + 1)).tokens_raw[0], all[i], 1e-5, 1e-5));
  }
}

TEST_CASE("a batch too large for one pass is computed in parts and comes back whole") {
  VitConfig config = small_dino();
  config.block.hidden = 40000;  // 7 tokens of it take 1.1 MB, so that 21 images go together
  MadeWeights weights(false);
  const VisionTransformer tower(config, VitNames::dinov2(), weights.source());
  const at::Tensor pixels = random_pixels({23, 3, 8, 8});
  VitRequest request;
  request.tokens_in = true;
  const VitOutput whole = tower.forward(pixels, request);  // with gradients switched on nothing is cut
  const at::NoGradGuard no_gradients;
  const VitOutput parts = tower.forward(pixels, request);
  REQUIRE(parts.tokens_raw.sizes() == whole.tokens_raw.sizes());
  CHECK(at::allclose(parts.tokens_raw, whole.tokens_raw, 1e-3, 1e-3));
  CHECK(at::allclose(parts.qkv_last, whole.qkv_last, 1e-3, 1e-3));
  CHECK(at::equal(parts.tokens_in, whole.tokens_in));
  CHECK(parts.rows == 2);
  CHECK(parts.columns == 2);
}

TEST_CASE("the attention type exchanges parts of the last block's queries, keys and values") {
  MadeWeights weights(false);
  VitConfig config = small_dino();
  const VisionTransformer plain(config, VitNames::dinov2(), weights.source());
  config.attention_type = "kkv";
  const VisionTransformer keys(config, VitNames::dinov2(), weights.source());
  const at::Tensor pixels = random_pixels({1, 3, 8, 8});
  const at::Tensor qkv = plain.forward(pixels).qkv_last;
  const at::Tensor exchanged = keys.forward(pixels).qkv_last;
  const int64_t width = config.block.width;
  CHECK(at::allclose(exchanged.slice(2, 0, width), qkv.slice(2, width, 2 * width)));
  CHECK(at::allclose(exchanged.slice(2, width), qkv.slice(2, width)));
  config.attention_type = "qk";
  CHECK_THROWS_WITH_AS(VisionTransformer(config, VitNames::dinov2(), weights.source()),
                       doctest::Contains("three of the letters"), Error);
}

TEST_CASE("with all blocks diagonal no token sees another") {
  MadeWeights weights(false);
  VitConfig config = small_clip();
  config.diagonal_last_layers = config.layers;
  const VisionTransformer tower(config, VitNames::openai(), weights.source());
  const at::Tensor pixels = random_pixels({1, 3, 9, 9});
  at::Tensor changed = pixels.clone();
  changed.slice(2, 0, 3).slice(3, 0, 3).fill_(0.0F);
  const at::Tensor difference =
      (tower.forward(pixels).tokens_raw - tower.forward(changed).tokens_raw).abs().sum(-1);  // [1,T]
  CHECK(difference[0][1].item<float>() > 0);
  CHECK(difference.sum().item<float>() == difference[0][1].item<float>());
}

TEST_CASE("the class token alone is what the whole pass gives of it") {
  const at::NoGradGuard no_gradients;
  for (VitConfig config : {small_dino(), small_clip()}) {
    for (const int64_t diagonal : {0, 1}) {
      config.diagonal_last_layers = diagonal;
      MadeWeights weights(false);
      const VisionTransformer tower(config, config.pre_norm ? VitNames::openai() : VitNames::dinov2(),
                                    weights.source());
      const int64_t side = 12;
      const at::Tensor pixels = at::randn({3, 3, side, side});
      VitRequest request;
      request.class_only = true;
      const VitOutput alone = tower.forward(pixels, request);
      CHECK(alone.tokens_raw.sizes() == at::IntArrayRef({3, 1, 12}));
      CHECK_FALSE(alone.qkv_last.defined());
      CHECK(at::allclose(alone.tokens_raw.select(1, 0), tower.forward(pixels).tokens_raw.select(1, 0), 1e-4,
                         1e-5));
    }
  }
}

TEST_CASE("pixels of a wrong shape are refused, and odd sizes are where the model says so") {
  MadeWeights weights(false);
  const VisionTransformer strict(small_dino(), VitNames::dinov2(), weights.source());
  CHECK_THROWS_WITH_AS(strict.forward(at::zeros({1, 3, 10, 8})), doctest::Contains("multiples"), Error);
  CHECK_THROWS_WITH_AS(strict.forward(at::zeros({1, 1, 8, 8})), doctest::Contains("[1,1,8,8]"), Error);
  CHECK_THROWS_WITH_AS(strict.forward(at::zeros({1, 3, 2, 8})), doctest::Contains("smaller than one patch"),
                       Error);
  MadeWeights others(false);
  const VisionTransformer floors(small_clip(), VitNames::openai(), others.source());
  CHECK(floors.forward(random_pixels({1, 3, 11, 9})).rows == 3);
}

TEST_CASE("a text's embedding depends on nothing behind its end marker, nor on its batch") {
  MadeWeights weights(false);
  const ClipText tower(small_text(), weights.source());
  const at::Tensor ids =
      at::tensor({27, 3, 29, 0, 0, 0, 0, 27, 3, 29, 5, 29, 4, 1, 27, 1, 2, 3, 4, 5, 29}, at::kLong)
          .view({3, 7});
  const at::NoGradGuard no_gradients;
  const at::Tensor all = tower.encode(ids);
  REQUIRE(all.sizes() == at::IntArrayRef({3, 5}));
  CHECK(at::allclose(all[0], all[1], 1e-5, 1e-5));
  CHECK(at::allclose(tower.encode(ids.slice(0, 0, 1).slice(1, 0, 3))[0], all[0], 1e-5, 1e-5));
  CHECK(at::allclose(tower.encode(ids.slice(0, 2, 3))[0], all[2], 1e-5, 1e-5));
  CHECK_FALSE(at::allclose(all[0], all[2], 1e-2, 1e-2));
}

TEST_CASE("many texts come back in their own order") {
  MadeWeights weights(false);
  const ClipText tower(small_text(), weights.source());
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  at::Tensor ids = at::randint(0, 28, {150, 7}, generator, at::TensorOptions(at::kLong));
  for (int64_t i = 0; i < 150; ++i) {
    ids[i][1 + i % 6].fill_(29);
  }
  const at::NoGradGuard no_gradients;
  const at::Tensor all = tower.encode(ids);
  for (const int64_t i : {0, 63, 64, 149}) {
    CHECK(at::allclose(tower.encode(ids.slice(0, i, i + 1))[0], all[i], 1e-5, 1e-5));
  }
}

TEST_CASE("an end id of its own takes the place of the largest id") {
  MadeWeights weights(false);
  ClipTextConfig config = small_text();
  const ClipText largest(config, weights.source());
  config.end_id = 3;
  const ClipText named(config, weights.source());
  const at::Tensor ids = at::tensor({5, 3, 29, 1}, at::kLong).view({1, 4});
  const at::NoGradGuard no_gradients;
  CHECK(at::allclose(named.encode(ids), named.encode(ids.slice(1, 0, 2)), 1e-5, 1e-5));
  CHECK_FALSE(at::allclose(named.encode(ids), largest.encode(ids), 1e-2, 1e-2));
}

TEST_CASE("gradients reach every parameter of the text tower") {
  MadeWeights weights(true);
  const ClipText tower(small_text(), weights.source());
  tower.encode(at::tensor({27, 3, 29, 0, 27, 1, 2, 29}, at::kLong).view({2, 4})).square().sum().backward();
  for (const auto& [name, tensor] : weights.tensors) {
    INFO(name);
    CHECK(tensor.grad().abs().sum().item<float>() > 0);
  }
}

TEST_CASE("ids that do not fit the text tower are refused") {
  MadeWeights weights(false);
  const ClipText tower(small_text(), weights.source());
  CHECK_THROWS_WITH_AS(tower.encode(at::full({1, 3}, 30, at::kLong)),
                       doctest::Contains("vocabulary of 30 ids"), Error);
  CHECK_THROWS_WITH_AS(tower.encode(at::zeros({1, 8}, at::kLong)), doctest::Contains("takes 1 to 7"), Error);
  CHECK_THROWS_AS(tower.encode(at::zeros({3}, at::kLong)), Error);
  CHECK(tower.encode(at::zeros({0, 4}, at::kLong)).sizes() == at::IntArrayRef({0, 5}));
}

}  // namespace
}  // namespace patchioner
