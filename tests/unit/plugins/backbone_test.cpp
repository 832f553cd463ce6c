// The backbones `clip` and `talk2dino` through the host, on the golden cases' tiny checkpoints. What they
// compute is compared by `verify`; here stands what they find out by themselves, what they offer, and what
// they refuse.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "refusals.hpp"
#include "runtime/captioner.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"
#include "unit/plugins/tiny_vocabulary.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

const std::string kCases = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/";
const std::string kOpenAi = "{plugin: clip, weights: " + kCases + "clip/openai_state_dict/ViT-tiny.pth, ";
const std::string kDino = "{plugin: talk2dino, weights: " + kCases + "dino/dinov2_reg4/weights.pth, ";
const std::string kChain = kCases + "dino/talk2dino_e2e/";

std::string refused_options(const std::string& yaml) {
  return refusal_of(ErrorKind::config, [&] { (void)made_backbone(yaml); });
}

/// A text tower of one block over those ids, under OpenAI's names: width 8, context 10.
fs::path write_text_tower(const fs::path& folder) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(8);
  const std::vector<std::pair<std::string, std::vector<int64_t>>> shapes = {
      {"token_embedding.weight", {515, 8}},
      {"positional_embedding", {10, 8}},
      {"transformer.resblocks.0.ln_1.weight", {8}},
      {"transformer.resblocks.0.ln_1.bias", {8}},
      {"transformer.resblocks.0.attn.in_proj_weight", {24, 8}},
      {"transformer.resblocks.0.attn.in_proj_bias", {24}},
      {"transformer.resblocks.0.attn.out_proj.weight", {8, 8}},
      {"transformer.resblocks.0.attn.out_proj.bias", {8}},
      {"transformer.resblocks.0.ln_2.weight", {8}},
      {"transformer.resblocks.0.ln_2.bias", {8}},
      {"transformer.resblocks.0.mlp.c_fc.weight", {32, 8}},
      {"transformer.resblocks.0.mlp.c_fc.bias", {32}},
      {"transformer.resblocks.0.mlp.c_proj.weight", {8, 32}},
      {"transformer.resblocks.0.mlp.c_proj.bias", {8}},
      {"ln_final.weight", {8}},
      {"ln_final.bias", {8}},
      {"text_projection", {8, 6}},
  };
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, shape] : shapes) {
    tensors.emplace_back(name, at::randn(shape, generator, at::TensorOptions(at::kFloat)));
  }
  write_safetensors(folder / "text.safetensors", tensors);
  return folder / "text.safetensors";
}

}  // namespace

TEST_CASE("clip finds heads and activation of each layout by itself") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"clip/openai_state_dict", "ViT-tiny.pth"},        {"clip/openai_torchscript", "ViT-T-3.pt"},
      {"clip/hf_safetensors", "model.safetensors"},      {"clip/timm_safetensors", "model.safetensors"},
      {"clip/open_clip", "open_clip_pytorch_model.bin"},
  };
  for (const auto& [folder, file] : cases) {
    CAPTURE(folder);
    const auto clip = made_backbone("{plugin: clip, weights: " + kCases + folder + "/" + file + "}");
    const at::Tensor tokens = expected_tensor(folder, "tokens");  // [B,1+G,D]
    const ImageFeatures features = clip->encode(expected_tensor(folder, "input"));
    CHECK(at::allclose(features.global, tokens.select(1, 0), 2e-4, 2e-4));
    CHECK(at::allclose(features.patches.flatten(1, 2), tokens.slice(1, 1), 2e-4, 2e-4));
    CHECK(at::allclose(features.attention.sum({1, 2}), at::ones({tokens.size(0)})));
    CHECK(clip->dim() == tokens.size(2));
    CHECK(clip->capabilities().text == (folder != "clip/timm_safetensors"));
    CHECK(clip->text_fingerprint().empty() == (folder == "clip/timm_safetensors"));
  }
}

TEST_CASE("clip's input follows resolution, resize_dim, crop_dim and keep_img_ratio") {
  CHECK(made_backbone(kOpenAi + "}")->image_spec().resize_dim == 20);
  const ImageSpec squashed = made_backbone(kOpenAi + "resolution: 36}")->image_spec();
  CHECK(squashed.input_size() == 36);
  CHECK(squashed.rows() == 9);
  CHECK(squashed.mean[0] == doctest::Approx(0.48145466));
  const ImageSpec cropped = made_backbone(kOpenAi + "resize_dim: 30, keep_img_ratio: true}")->image_spec();
  CHECK(cropped.resize_dim == 30);
  CHECK(cropped.crop_dim == 20);
  CHECK(cropped.input_size() == 20);
}

TEST_CASE("both backbones compute only the by-products that are asked for, and name the others") {
  const std::vector<std::pair<std::string, at::Tensor>> backbones = {
      {kOpenAi + "}", expected_tensor("clip/openai_state_dict", "input")},
      {kDino + "heads: 2}", expected_tensor("dino/dinov2_reg4", "native/input")}};
  for (const auto& [options, input] : backbones) {
    const auto made = made_backbone(options);
    CHECK(made->encode(input).intermediates.empty());
    const std::vector<std::string> names = made->intermediate_names();
    const ImageFeatures all = made->encode(input, names);
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(all.intermediates.at(name).isfinite().all().item<bool>());
    }
    const std::vector<std::string> wrong = {"qkv_lats"};
    mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(input, wrong); }),
             "did you mean 'qkv_last'");
    mentions(refusal_of(ErrorKind::data, [&] { (void)made->probe("position_table", {}); }), "grid");
    CHECK_THROWS_AS(made->probe("no_such_probe", {}), Error);
  }
}

TEST_CASE("a map made of the heads' softmaxes differs from one of their mean logits, and sums to 1 too") {
  const at::Tensor input = expected_tensor("clip/openai_state_dict", "input");
  const at::Tensor logits = made_backbone(kOpenAi + "}")->encode(input).attention;
  const std::vector<std::string> wanted = {"attn_maps_heads"};
  const ImageFeatures probs = made_backbone(kOpenAi + "map_reduce: probs}")->encode(input, wanted);
  CHECK(at::allclose(probs.attention.flatten(1), probs.intermediates.at("attn_maps_heads").mean(1), 1e-5,
                     1e-7));
  CHECK_FALSE(at::allclose(probs.attention, logits, 1e-4, 1e-6));
}

TEST_CASE("clip says what is missing for texts and images") {
  const auto clip = made_backbone(kOpenAi + "}");
  const std::vector<std::string> texts = {"a dog"};
  mentions(refusal_of(ErrorKind::config, [&] { (void)clip->encode_text(texts); }), "set `vocabulary`");
  const auto tower =
      made_backbone("{plugin: clip, weights: " + kCases + "clip/timm_safetensors/model.safetensors}");
  CHECK_FALSE(tower->capabilities().text);
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] {
                        (void)tower->encode_token_ids(at::zeros({1, 2}, at::kLong));
                      }),
           "no text tower");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)clip->encode(at::zeros({1, 3, 2, 2}));
                      }),
           "smaller than one patch");
}

TEST_CASE("clip refuses what does not fit") {
  mentions(refused_options(kOpenAi + "attention_type: qkx}"), "three of the letters q, k, v");
  mentions(refused_options(kOpenAi + "resolution: 3}"), "smaller than one patch");
  mentions(refused_options(kOpenAi + "heads: 3}"), "into 3 heads");
  mentions(refused_options(kOpenAi + "format: timm}"), "format is timm");
  mentions(refused_options(kOpenAi + "context: 50}"), "longer than the text tower's 12");
  mentions(refused_options(kOpenAi + "pos_resample: nearest}"), "pos_resample");
  mentions(
      refusal_of(
          ErrorKind::checkpoint,
          [] { (void)made_backbone("{plugin: clip, weights: " + kCases + "dino/dinov2_reg4/weights.pth}"); }),
      "weights.pth (torch zip) is an official DINOv2 (2 blocks of width 32, patches of 14 with 4 registers), "
      "but "
      "`weights` must be a CLIP with a vision transformer; the backbone talk2dino reads it as `weights`");
  mentions(refusal_of(ErrorKind::config,
                      [] {
                        (void)made_backbone("{plugin: clip, weights: " + kCases +
                                            "clip/open_clip/open_clip_pytorch_model.bin, config: " + kCases +
                                            "clip/open_clip/case.json}");
                      }),
           "no configuration of a CLIP");
}

TEST_CASE("clip with a vocabulary encodes texts as it encodes their ids, and cuts or refuses long ones") {
  const TestFolder folder;
  const std::string options = "{plugin: clip, format: open_clip, activation: gelu, text_heads: 2, weights: " +
                              write_text_tower(folder.path()).string() +
                              ", vocabulary: " + write_vocabulary(folder.path()).string();
  const std::vector<std::string> texts = {"ab", "b ab"};
  const auto clip = made_backbone(options + "}");
  // The file above numbers the bytes in their own order, so "a" is 97 and "b" is 98, and 256 more at a word's
  // end.
  const at::Tensor ids = at::tensor({513, 512, 514, 0, 513, 354, 512, 514}, at::kLong).view({2, 4});
  CHECK(at::allclose(clip->encode_text(texts), clip->encode_token_ids(ids), 1e-5, 1e-6));
  CHECK(clip->dim() == 6);
  CHECK_FALSE(clip->capabilities().attention);
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] {
                        (void)clip->encode(at::zeros({1, 3, 8, 8}));
                      }),
           "no image tower");
  const std::vector<std::string> too_long = {"a a a a"};
  const auto cut = made_backbone(options + ", context: 4}");
  const at::Tensor kept = at::tensor({513, 353, 353, 514}, at::kLong).view({1, 4});
  CHECK(at::allclose(cut->encode_text(too_long), clip->encode_token_ids(kept), 1e-5, 1e-6));
  const auto strict = made_backbone(options + ", context: 4, truncate: false}");
  CHECK_THROWS_AS(strict->encode_text(too_long), Error);
  const auto other = made_backbone(kOpenAi + "vocabulary: " + (folder.path() / "vocab.json").string() + "}");
  mentions(refusal_of(ErrorKind::config, [&] { (void)other->encode_text(texts); }),
           "515 ids, the text tower only 200");
  mentions(
      refusal_of(ErrorKind::io, [&] { (void)made_backbone(kOpenAi + "vocabulary: nowhere/vocab.json}"); }),
      "there is no such vocabulary");
}

TEST_CASE(
    "the fingerprint of clip's text side changes with everything that changes its vectors, and nothing "
    "else") {
  const std::string plain = made_backbone(kOpenAi + "}")->text_fingerprint();
  CHECK(plain.starts_with("clip_text:"));
  CHECK(plain.size() == std::string("clip_text:").size() + 64);
  const auto same = [&](const std::string& options) {
    return made_backbone(kOpenAi + options + "}")->text_fingerprint() == plain;
  };
  CHECK_FALSE(same("activation: gelu"));
  CHECK_FALSE(same("text_heads: 2"));
  CHECK_FALSE(same("round_weights_fp16: true"));
  CHECK_FALSE(same("text_clean: basic"));
  CHECK_FALSE(same("context: 4"));
  CHECK(same("truncate: false"));
  CHECK(same("keep_img_ratio: true"));
}

TEST_CASE("talk2dino without a projection is plain DINOv2") {
  const auto dino = made_backbone(kDino + "heads: 2}");
  CHECK(dino->dim() == 32);
  CHECK_FALSE(dino->capabilities().text);
  CHECK(dino->text_fingerprint().empty());
  const std::vector<std::string> texts = {"a dog"};
  mentions(refusal_of(ErrorKind::config, [&] { (void)dino->encode_text(texts); }),
           "plain DINOv2 has no text side");
  mentions(refusal_of(ErrorKind::data, [&] { (void)dino->encode(at::zeros({1, 3, 30, 28})); }), "multiples");
}

TEST_CASE("talk2dino names what is missing on the text side") {
  const std::string projection = "projection_weights: " + kChain + "projection.pth";
  const auto texts_only = made_backbone("{plugin: talk2dino, " + projection + "}");
  CHECK_FALSE(texts_only->capabilities().text);
  CHECK_FALSE(texts_only->capabilities().attention);
  const std::vector<std::string> texts = {"a dog"};
  mentions(refusal_of(ErrorKind::config, [&] { (void)texts_only->encode_text(texts); }), "clip_text_weights");
  mentions(refusal_of(ErrorKind::config,
                      [&] {
                        (void)texts_only->encode(at::zeros({1, 3, 28, 28}));
                      }),
           "set `weights`");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)texts_only->probe("projection", {{"text", at::zeros({1, 5})}});
                      }),
           "24 dimensions");
  mentions(refused_options("{plugin: talk2dino}"),
           "test.yaml:1:2: backbone 'talk2dino': there is nothing to load");
}

TEST_CASE("a backbone of texts alone cannot caption, and says so") {
  const std::string both =
      "gap: {plugin: none}\naggregator: {plugin: uniform}\nbackbone: {plugin: talk2dino, "
      "projection_weights: " +
      kChain + "projection.pth}\n";
  PluginHost host;
  mentions(refusal_of(ErrorKind::config, [&] { Captioner(parse_yaml(both, "test.yaml"), host); }),
           "no image side");
}

TEST_CASE("talk2dino puts CLIP's text tower in front of its projection") {
  // The text tower gives 32 dimensions, so a projection from 32 to the image side's 32 is made for it.
  const TestFolder folder;
  const at::Tensor weight = at::eye(32) * 2;
  write_safetensors(folder.path() / "p.safetensors",
                    {{"linear_layer.weight", weight}, {"linear_layer.bias", at::ones({32})}});
  const std::string options = "heads: 2, projection_weights: " + (folder.path() / "p.safetensors").string() +
                              ", clip_text_weights: " + kCases + "clip/openai_state_dict/ViT-tiny.pth";
  const auto both = made_backbone(kDino + options + "}");
  CHECK(both->capabilities().text);
  const at::Tensor ids = expected_tensor("clip/openai_state_dict", "text_ids");
  CHECK(at::allclose(both->encode_token_ids(ids),
                     expected_tensor("clip/openai_state_dict", "text_embed") * 2 + 1, 1e-3, 1e-3));
  const auto other = made_backbone(kDino + options + ", act: relu}");
  CHECK(both->text_fingerprint() != other->text_fingerprint());
  CHECK(both->text_fingerprint() !=
        made_backbone(kDino + options + ", text_clean: none}")->text_fingerprint());
  mentions(both->text_fingerprint(),
           "projection:" + StateDict::open(folder.path() / "p.safetensors").digest());
}

TEST_CASE("what the weights of talk2dino's CLIP do not say is asked for by talk2dino's own options") {
  const TestFolder folder;
  const std::string bare = changed_copy(
      folder / "bare.pth", kCases + "clip/openai_state_dict/ViT-tiny.pth",
      [](std::string& name, at::Tensor& tensor) { name = tensor.dim() == 0 ? std::string() : name; });
  const std::string message =
      refused_options("{plugin: talk2dino, projection_weights: " + kCases +
                      "dino/talk2dino_e2e/projection.pth, act: tanh, hidden_layer: true, "
                      "clip_text_weights: " +
                      bare + "}");
  for (const char* part :
       {"as `clip_text_config`", "set `clip_text_heads`", "say `clip_text_format: openai`"}) {
    mentions(message, part);
  }
}

TEST_CASE("talk2dino refuses projections whose settings contradict their weights") {
  const std::string variants = kCases + "dino/talk2dino_variants/";
  const TestFolder folder;
  fs::copy_file(variants + "relu2.pth", folder.path() / "relu2.pth");  // without its YAML beside it
  const std::string alone =
      "{plugin: talk2dino, projection_weights: " + (folder.path() / "relu2.pth").string();
  mentions(refused_options(alone + "}"), "set `act`");
  mentions(refused_options(alone + ", act: relu, hidden_layer: 1}"), "holds 2 hidden layers");
  mentions(refused_options(alone + ", act: gelu}"), "no activation of a projection");
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] { (void)made_backbone(alone + ", act: relu, hidden_layer: 3}"); }),
           "hidden_layers.2.weight");
  const auto found = made_backbone(alone + ", act: relu}");
  const auto by_yaml = made_backbone("{plugin: talk2dino, projection_weights: " + variants + "relu2.pth}");
  const std::map<std::string, at::Tensor> text = {
      {"text", expected_tensor("dino/talk2dino_variants", "text")}};
  CHECK(at::equal(found->probe("projection", text), by_yaml->probe("projection", text)));
  mentions(refusal_of(ErrorKind::config, [&] { (void)found->probe("projection_pinv", {}); }),
           "cannot be inverted");
}

TEST_CASE("talk2dino refuses heads, sizes and parts that do not fit") {
  mentions(refused_options(kDino + "}"), "set `heads`");
  mentions(refused_options(kDino + "heads: 2, map_heads: 5}"), "map_heads");
  mentions(refused_options(kDino + "heads: 2, map_heads: reverence}"), "reference, model or a number");
  mentions(refused_options(kDino + "heads: 2, resolution: 60}"), "56 is the nearest one");
  mentions(refused_options(kDino + "heads: 2, resolution: 3}"), "14 is the nearest one");
  const TestFolder folder;
  write_safetensors(folder.path() / "p.safetensors",
                    {{"linear_layer.weight", at::zeros({8, 32})}, {"linear_layer.bias", at::zeros({8})}});
  mentions(refused_options(
               kDino + "heads: 2, projection_weights: " + (folder.path() / "p.safetensors").string() + "}"),
           "leads to 8 dimensions, but the image tower has 32");
}

TEST_CASE("a backbone's results do not depend on the batch") {
  for (const bool clip : {true, false}) {
    const auto made = made_backbone(clip ? kOpenAi + "}" : kDino + "heads: 2}");
    const at::Tensor one = clip ? expected_tensor("clip/openai_state_dict", "input")
                                : expected_tensor("dino/dinov2_reg4", "native/input");
    const at::Tensor batch = at::cat({one, one.flip(3)});
    const ImageFeatures together = made->encode(batch);
    for (int64_t i = 0; i < batch.size(0); ++i) {
      const ImageFeatures alone = made->encode(batch.slice(0, i, i + 1));
      CHECK(at::allclose(alone.patches[0], together.patches[i], 1e-4, 1e-5));
      CHECK(at::allclose(alone.attention[0], together.attention[i], 1e-4, 1e-6));
    }
  }
}

}  // namespace patchioner
