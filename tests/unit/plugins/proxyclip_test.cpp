// The backbone `proxyclip` through the host, on the golden case's tiny checkpoints: CLIP with patches of 12
// on a 4 x 4 grid, a DINO with patches of 8 on 5 x 5, a DINOv2 with registers and patches of 14 on 4 x 4.
// What it computes from them is compared by `verify`; here stands what the case does not hold.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include "made_backbone.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kCase = parity_case("dino/proxyclip");
const std::string kTinyClip = parity_case("clip/openai_state_dict") + "ViT-tiny.pth";
const std::string kClip = "clip_weights: " + kCase + "clip.pt, ";
const std::string kDino = "proxy_weights: " + kCase + "dino_v1.pth, proxy_heads: 4, ";
const std::string kDinov2 = "proxy_weights: " + kCase + "dinov2_reg4.pth, proxy_heads: 2, ";

std::shared_ptr<Backbone> proxyclip(const std::string& options) {
  return made_backbone("{plugin: proxyclip, " + options + "}");
}

at::Tensor random_pixels(at::IntArrayRef shape) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(12);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

at::Tensor intermediate(const Backbone& backbone, const at::Tensor& pixels, const std::string& name) {
  const std::vector<std::string> wanted = {name};
  return backbone.encode(pixels, wanted).intermediates.at(name);
}

void refuses(ErrorKind kind, const std::string& options, const std::string& part) {
  const std::string message = refusal_of(kind, [&] { (void)proxyclip(options); });
  INFO(message);
  CHECK(contains(message, part));
}

void refuses_pixels(const Backbone& backbone, at::IntArrayRef shape, const std::string& part) {
  const std::string message = refusal_of(ErrorKind::data, [&] { (void)backbone.encode(at::zeros(shape)); });
  INFO(message);
  CHECK(contains(message, part));
}

}  // namespace

TEST_CASE("proxyclip delivers CLIP's vectors of unit length on the proxy's grid, and nothing else") {
  const auto dino = proxyclip(kClip + kDino);
  CHECK(dino->dim() == 24);
  CHECK(dino->image_spec().patch_size == 8);
  CHECK(dino->image_spec().input_size() == 40);
  CHECK(dino->image_spec().mean[0] == doctest::Approx(0.485));
  const ImageFeatures features = dino->encode(random_pixels({2, 3, 40, 40}));
  CHECK(features.patches.sizes() == at::IntArrayRef({2, 5, 5, 24}));
  CHECK(at::allclose(features.patches.norm(2, -1), at::ones({2, 5, 5})));
  CHECK_FALSE(features.global.defined());
  CHECK_FALSE(features.attention.defined());
  CHECK(features.intermediates.empty());
  CHECK_FALSE(dino->capabilities().global);
  CHECK_FALSE(dino->capabilities().attention);
  CHECK_FALSE(dino->capabilities().regions);
  CHECK(dino->capabilities().text);
  const auto dinov2 = proxyclip(kClip + kDinov2 + "proxy: dinov2, resolution: 84");
  CHECK(dinov2->image_spec().patch_size == 14);
  CHECK(dinov2->image_spec().rows() == 6);
}

TEST_CASE("proxyclip takes rows and columns in their order in inputs that are not square") {
  const auto backbone = proxyclip(kClip + kDino);
  const at::Tensor wide = random_pixels({1, 3, 48, 72});
  const ImageFeatures features = backbone->encode(wide);
  CHECK(features.patches.sizes() == at::IntArrayRef({1, 6, 9, 24}));
  CHECK(intermediate(*backbone, wide, "tokens_before_last").size(1) == 1 + 4 * 6);
  const at::Tensor attention = intermediate(*backbone, wide, "proxy_attn");
  CHECK(at::allclose(attention.sum(-1), at::ones({1, 54})));
  // Values of the last block, by hand: from the tokens that enter it, on CLIP's 4 x 6 patches of 12 pixels.
  const StateDict clip = StateDict::open(kCase + "clip.pt");
  const auto weight = [&clip](const std::string& name) {
    return clip.tensor("visual.transformer.resblocks.2." + name).to(at::kFloat);
  };
  const at::Tensor tokens = intermediate(*backbone, wide, "tokens_before_last").slice(1, 1);  // [1,24,64]
  const at::Tensor normed = at::layer_norm(tokens, {64}, weight("ln_1.weight"), weight("ln_1.bias"), 1e-5);
  const at::Tensor values = at::linear(normed, weight("attn.in_proj_weight").slice(0, 128),
                                       weight("attn.in_proj_bias").slice(0, 128));  // [1,24,64]
  const at::Tensor map = values.view({1, 4, 6, 64}).permute({0, 3, 1, 2}).contiguous();
  CHECK(at::allclose(intermediate(*backbone, wide, "v_resized"), at::upsample_bilinear2d(map, {6, 9}, false),
                     1e-4, 1e-5));
}

TEST_CASE("proxyclip's DINO resamples positions for an input that is not square, its CLIP does not") {
  const auto backbone = proxyclip(kClip + kDino);
  const at::Tensor pixels = random_pixels({1, 3, 44, 44});
  const auto seen = [&](int64_t height, int64_t width, const char* what) {
    return intermediate(*backbone, pixels.slice(2, 0, height).slice(3, 0, width), what);
  };
  // 5 x 5 patches of 8 pixels in each, which is the table's own grid, and 3 x 3 of CLIP's 12.
  const at::Tensor native = seen(40, 40, "proxy_feats");
  CHECK(at::equal(seen(44, 44, "proxy_feats"), native));
  const at::Tensor wide = seen(40, 44, "proxy_feats");
  CHECK(wide.sizes() == native.sizes());
  CHECK_FALSE(at::allclose(wide, native, 1e-3, 1e-3));
  CHECK(at::equal(seen(40, 44, "tokens_before_last"), seen(40, 40, "tokens_before_last")));
}

TEST_CASE("proxyclip's intermediates are made when they are asked for, and misspelt ones are named") {
  const auto backbone = proxyclip(kClip + kDino);
  const at::Tensor pixels = random_pixels({1, 3, 40, 40});
  const std::vector<std::string> names = backbone->intermediate_names();
  const ImageFeatures all = backbone->encode(pixels, names);
  CHECK(all.intermediates.size() == names.size());
  for (const std::string& name : names) {
    CHECK(all.intermediates.at(name).isfinite().all().item<bool>());
  }
  const std::vector<std::string> wrong = {"proxy_atn"};
  const std::string message = refusal_of(ErrorKind::data, [&] { (void)backbone->encode(pixels, wrong); });
  CHECK(contains(message, "did you mean 'proxy_attn'"));
  // CLIP's table has 16 rows for patches: a grid of as many takes it untouched, whatever its shape.
  const auto table = [&](int64_t rows, int64_t columns) {
    return backbone->probe("position_table", {{"grid", at::tensor({rows, columns}, at::kLong)}});
  };
  CHECK(at::equal(table(2, 8), table(4, 4)));
  CHECK_FALSE(at::equal(table(3, 5), table(4, 4).slice(0, 0, 16)));
}

TEST_CASE("proxyclip leaves out what is no whole patch for DINO and CLIP, and refuses it for DINOv2") {
  const auto dino = proxyclip(kClip + kDino);
  const at::Tensor pixels = random_pixels({1, 3, 47, 43});
  const at::Tensor patches = dino->encode(pixels).patches;
  CHECK(patches.sizes() == at::IntArrayRef({1, 5, 5, 24}));
  // Patches of 12 end after 36 rows and columns, patches of 8 after 40.
  const at::Tensor cut = pixels.slice(2, 0, 46).slice(3, 0, 40);
  CHECK(at::allclose(dino->encode(cut).patches, patches, 1e-4, 1e-5));
  CHECK(proxyclip(kClip + kDino + "resolution: 43")->image_spec().rows() == 5);
  const auto dinov2 = proxyclip(kClip + kDinov2);
  refuses_pixels(*dinov2, {1, 3, 60, 56}, "multiples");
  refuses(ErrorKind::config, kClip + kDinov2 + "resolution: 60", "56 is the nearest one");
}

TEST_CASE("proxyclip refuses pixels that one of its towers cannot take") {
  const auto backbone = proxyclip(kClip + kDino);
  refuses_pixels(*backbone, {1, 4, 40, 40}, "expected [images, 3, height, width]");
  refuses_pixels(*backbone, {3, 40, 40}, "expected [images, 3, height, width]");
  refuses_pixels(*backbone, {1, 3, 40, 7}, "smaller than one patch of 8");
  refuses_pixels(*backbone, {1, 3, 40, 8}, "smaller than one patch of 12");  // CLIP's
  refuses(ErrorKind::config, kClip + kDino + "resolution: 8", "smaller than one patch of 12");
}

TEST_CASE(
    "a mean similarity of each image gives a batch the results of its images, one of the batch does not") {
  const at::Tensor pixels = at::cat(
      {random_pixels({2, 3, 40, 40}), at::ones({1, 3, 40, 40}) * 0.2 + 0.5 * random_pixels({1, 3, 40, 40})});
  const auto each = proxyclip(kClip + kDino);
  const at::Tensor together = each->encode(pixels).patches;
  const auto batch = proxyclip(kClip + kDino + "similarity_mean: batch");
  const at::Tensor mixed = intermediate(*batch, pixels, "proxy_attn");
  bool differs = false;
  for (int64_t i = 0; i < pixels.size(0); ++i) {
    const at::Tensor one = pixels.slice(0, i, i + 1);
    CHECK(at::allclose(each->encode(one).patches[0], together[i], 1e-4, 1e-5));
    CHECK(at::allclose(batch->encode(one).patches[0], together[i], 1e-4, 1e-5));
    differs = differs || !at::allclose(intermediate(*batch, one, "proxy_attn")[0], mixed[i], 1e-3, 1e-5);
  }
  CHECK(differs);
}

TEST_CASE("proxyclip's attention is that of the definition, for any beta and gamma") {
  const at::Tensor pixels = random_pixels({1, 3, 40, 40});
  for (const auto& [beta, gamma] : {std::pair{1.2, 3.0}, std::pair{0.5, 10.0}, std::pair{0.0, 1.0}}) {
    const auto backbone =
        proxyclip(kClip + kDino + "beta: " + std::to_string(beta) + ", gamma: " + std::to_string(gamma));
    const at::Tensor similarity = intermediate(*backbone, pixels, "similarity");
    const at::Tensor shifted = (similarity - similarity.mean() * beta) * gamma;
    const at::Tensor expected =
        at::softmax(shifted.masked_fill(shifted.lt(0.0), -std::numeric_limits<double>::infinity()), -1);
    CHECK(at::allclose(intermediate(*backbone, pixels, "proxy_attn"), expected, 1e-4, 1e-6));
  }
}

TEST_CASE("a patch that nothing is alike enough to looks at all patches by likeness") {
  // Beta times the mean similarity is above 1, so that not even a patch's likeness to itself is left.
  const auto backbone = proxyclip(kClip + kDino + "beta: 100");
  const at::Tensor pixels = random_pixels({1, 3, 40, 40});
  const at::Tensor similarity = intermediate(*backbone, pixels, "similarity");
  REQUIRE(similarity.mean().item<double>() * 100 > 1.001);
  CHECK(at::allclose(intermediate(*backbone, pixels, "proxy_attn"), at::softmax(similarity * 3, -1), 1e-4,
                     1e-6));
  CHECK(backbone->encode(pixels).patches.isfinite().all().item<bool>());
  // The reference gives NaN for an image of one colour, whose patches are all nearly alike.
  const ImageFeatures uniform = proxyclip(kClip + kDino)->encode(at::zeros({1, 3, 40, 40}));
  CHECK(uniform.patches.isfinite().all().item<bool>());
}

TEST_CASE("more patches than are mixed at a time give the mixture that the whole attention gives") {
  const auto backbone = proxyclip(kClip + kDino);
  const at::Tensor pixels = random_pixels({1, 3, 136, 144});  // 17 x 18 = 306 patches
  const std::vector<std::string> wanted = {"proxy_attn", "v_resized", "x_unnormalised"};
  const ImageFeatures features = backbone->encode(pixels, wanted);
  const at::Tensor values = features.intermediates.at("v_resized").flatten(2).transpose(1, 2);  // [1,M,W]
  const at::Tensor mixed = at::matmul(features.intermediates.at("proxy_attn"), values);         // [1,M,W]
  const StateDict clip = StateDict::open(kCase + "clip.pt");
  const auto weight = [&clip](const std::string& name) {
    return clip.tensor("visual." + name).to(at::kFloat);
  };
  const at::Tensor last = at::linear(mixed, weight("transformer.resblocks.2.attn.out_proj.weight"),
                                     weight("transformer.resblocks.2.attn.out_proj.bias"));
  const at::Tensor normed =
      at::layer_norm(last, {64}, weight("ln_post.weight"), weight("ln_post.bias"), 1e-5);
  CHECK(at::allclose(features.intermediates.at("x_unnormalised"), at::matmul(normed, weight("proj")), 1e-3,
                     1e-4));
}

TEST_CASE("clip_stats decides which pixels CLIP sees, and leaves the proxy's alone") {
  const at::Tensor pixels = random_pixels({1, 3, 40, 40});
  const auto published = proxyclip(kClip + kDino);
  const auto reference = proxyclip(kClip + kDino + "clip_stats: imagenet");
  CHECK(at::equal(intermediate(*published, pixels, "proxy_feats"),
                  intermediate(*reference, pixels, "proxy_feats")));
  CHECK_FALSE(at::allclose(published->encode(pixels).patches, reference->encode(pixels).patches, 1e-3, 1e-3));
  // ImageNet's pixels of an image turned by hand into CLIP's are what the reference needs to agree.
  const ImageSpec& spec = published->image_spec();
  const auto channels = [](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values)).view({1, 3, 1, 1});
  };
  const at::Tensor raw = pixels * channels(spec.std) + channels(spec.mean);
  const at::Tensor for_clip = (raw - channels({0.48145466F, 0.4578275F, 0.40821073F})) /
                              channels({0.26862954F, 0.26130258F, 0.27577711F});
  CHECK(at::allclose(intermediate(*published, pixels, "tokens_before_last"),
                     intermediate(*reference, for_clip, "tokens_before_last"), 1e-4, 1e-4));
}

TEST_CASE("proxyclip's text side is CLIP's own, and is recognised as that") {
  const auto plain = made_backbone("{plugin: clip, weights: " + kTinyClip + "}");
  const auto backbone = proxyclip("clip_weights: " + kTinyClip + ", " + kDino);
  CHECK(backbone->text_fingerprint() == plain->text_fingerprint());
  CHECK(backbone->dim() == plain->dim());
  const at::Tensor ids = expected_tensor("clip/openai_state_dict", "text_ids");
  CHECK(at::equal(backbone->encode_token_ids(ids), plain->encode_token_ids(ids)));
  const std::string rounded = "clip_weights: " + kTinyClip + ", clip_round_weights_fp16: true, " + kDino;
  CHECK(proxyclip(rounded)->text_fingerprint() != plain->text_fingerprint());
  const std::vector<std::string> texts = {"a dog"};
  const std::string message = refusal_of(ErrorKind::config, [&] { (void)backbone->encode_text(texts); });
  CHECK(contains(message, "set `vocabulary`"));
}

TEST_CASE("proxyclip says which half is missing, and which file it expects") {
  refuses(ErrorKind::config, kClip, "set `proxy_weights` to a DINO or DINOv2 checkpoint");
  refuses(ErrorKind::config, kClip + "proxy: dino", "dino_vitbase8_pretrain.pth");
  refuses(ErrorKind::config, kClip + "proxy: dinov2", "dinov2_vitb14_reg4_pretrain.pth");
  refuses(ErrorKind::config, kDino, "set `clip_weights`");
  refuses(ErrorKind::io, kClip + "proxy_weights: nowhere.pth", "nowhere.pth");
}

TEST_CASE("proxyclip recognises checkpoints of the wrong family") {
  refuses(ErrorKind::config, kClip + kDino + "proxy: dinov2", "set `proxy: dino`");
  refuses(ErrorKind::config, kClip + kDinov2 + "proxy: dino", "set `proxy: dinov2`");
  refuses(ErrorKind::checkpoint, kClip + "proxy_weights: " + kCase + "clip.pt",
          "`proxy_weights` must be a DINO or a DINOv2");
  refuses(ErrorKind::checkpoint, kDino + "clip_weights: " + kCase + "dinov2_reg4.pth",
          "`clip_weights` must be a CLIP");
  refuses(ErrorKind::checkpoint,
          kClip + "proxy_weights: " + parity_case("dino/talk2dino_e2e") + "projection.pth", "Talk2DINO");
}

TEST_CASE("proxyclip reports what a half lacks, and settings that do not fit, by their own names") {
  const TestFolder folder;
  const std::string short_dino = changed_copy(folder / "dino.safetensors", kCase + "dino_v1.pth",
                                              [](std::string& name, at::Tensor& tensor) {
                                                tensor = name == "norm.weight" ? at::ones({5}) : tensor;
                                                name = name == "blocks.1.mlp.fc1.bias" ? std::string() : name;
                                              });
  refuses(ErrorKind::checkpoint, kClip + "proxy_heads: 4, proxy_weights: " + short_dino,
          "blocks.1.mlp.fc1.bias");
  refuses(ErrorKind::checkpoint, kClip + "proxy_heads: 4, proxy_weights: " + short_dino, "norm.weight");
  const std::string text_alone = copy_without(folder / "text.safetensors", kCase + "clip.pt", "visual.");
  refuses(ErrorKind::checkpoint, kDino + "clip_format: openai, clip_weights: " + text_alone,
          "no image tower");
  refuses(ErrorKind::config, kClip + "proxy_weights: " + kCase + "dino_v1.pth", "set `proxy_heads`");
  refuses(ErrorKind::config, kClip + "proxy_heads: 5, proxy_weights: " + kCase + "dino_v1.pth",
          "into 5 heads");
  refuses(ErrorKind::config, kDino + "clip_format: timm, " + kClip, "clip_format is timm");
  const std::string bare =
      changed_copy(folder / "bare.safetensors", kCase + "clip.pt", [](std::string& name, at::Tensor& tensor) {
        name = tensor.dim() == 0 && name != "logit_scale" ? std::string() : name;
      });
  refuses(ErrorKind::config, kDino + "clip_weights: " + bare, "set `clip_heads`");
  refuses(ErrorKind::config, kClip + kDino + "gamma: -1", "gamma");
  refuses(ErrorKind::config, kClip + kDino + "similarity_mean: none", "similarity_mean");
  refuses(ErrorKind::config, kClip + kDino + "map_reduce: probs", "map_reduce");
}

}  // namespace patchioner
