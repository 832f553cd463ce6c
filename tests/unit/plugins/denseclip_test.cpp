// The backbone `denseclip` through the host, on the golden case's tiny segmentation checkpoint and variants
// of it. Its numbers are compared by `verify`; here stands what options and configuration change, and what is
// refused.
#include <doctest/doctest.h>

#include <functional>

#include "refusals.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"
#include "unit/plugins/tiny_vocabulary.hpp"

namespace patchioner {
namespace {

const std::string kFile = parity_case("clip/denseclip") + "ViT-tiny-DenseCLIP.pth";
const std::string kWeights = "weights: " + kFile;
const std::string kOpenAi = parity_case("clip/openai_state_dict") + "ViT-tiny.pth";

std::shared_ptr<Backbone> denseclip(const std::string& options) {
  return made_backbone("{plugin: denseclip, " + options + "}");
}

at::Tensor expected(const std::string& name) {
  return expected_tensor("clip/denseclip", name);
}

std::string refused(ErrorKind kind, const std::string& options) {
  return refusal_of(kind, [&] { (void)denseclip(options); });
}

/// The golden checkpoint with tensors put under other names by `rename` ("" leaves one out) or replaced;
/// gives the option that names the file.
std::string variant(const TestFolder& folder, const std::function<std::string(const std::string&)>& rename,
                    const std::map<std::string, at::Tensor>& replaced = {}) {
  return "weights: " +
         changed_copy(folder / "variant.safetensors", kFile, [&](std::string& name, at::Tensor& tensor) {
           const auto other = replaced.find(name);
           tensor = other != replaced.end() ? other->second : tensor;
           name = rename(name);
         });
}

std::string without(const TestFolder& folder, const std::string& start) {
  return "weights: " + copy_without(folder / "variant.safetensors", kFile, start);
}

/// A configuration file with `vision` and `text` as the sections of the model, and `more` behind them.
std::string config(const TestFolder& folder, const std::string& vision, const std::string& text,
                   const std::string& more = "") {
  return "config: " + folder
                          .write("model.yaml", "model:\n  type: vit\n  vision: {" + vision + "}\n  text: {" +
                                                   text + "}\n" + more)
                          .string();
}

}  // namespace

TEST_SUITE("denseclip") {
  TEST_CASE("denseclip finds its towers among the rest of a segmentation checkpoint") {
    const auto made = denseclip(kWeights);
    CHECK(made->dim() == 32);
    CHECK(made->image_spec().input_size() == 48);
    CHECK(made->image_spec().patch_size == 8);
    CHECK(made->capabilities().text);
    CHECK_FALSE(made->capabilities().regions);
    const at::Tensor tokens = expected("tokens");  // [2,37,32]
    const ImageFeatures features = made->encode(expected("input"));
    CHECK(at::allclose(features.global, tokens.select(1, 0), 2e-4, 2e-4));
    CHECK(at::allclose(features.patches.flatten(1, 2), tokens.slice(1, 1), 2e-4, 2e-4));
    CHECK(at::allclose(features.attention.sum({1, 2}), at::ones({2})));
  }

  TEST_CASE("the class embedding added twice moves class token and patches, and leaves the positions") {
    const auto twice = denseclip(kWeights + ", class_embedding: twice");
    const at::Tensor tokens = expected("tokens_original");  // [2,37,32]
    const ImageFeatures features = twice->encode(expected("input"));
    CHECK(at::allclose(features.global, tokens.select(1, 0), 2e-4, 2e-4));
    CHECK(at::allclose(features.patches.flatten(1, 2), tokens.slice(1, 1), 2e-4, 2e-4));
    const ImageFeatures once = denseclip(kWeights)->encode(expected("input"));
    CHECK_FALSE(at::allclose(features.global, once.global, 1e-3, 1e-3));
    CHECK_FALSE(at::allclose(features.patches, once.patches, 1e-4, 1e-4));
    const std::map<std::string, at::Tensor> grid = {{"grid", at::tensor({7, 3}, at::kLong)}};
    CHECK(
        at::equal(twice->probe("position_table", grid), denseclip(kWeights)->probe("position_table", grid)));
    CHECK(twice->text_fingerprint() == denseclip(kWeights)->text_fingerprint());
  }

  TEST_CASE("an image's features do not depend on the batch, nor the network on a square input") {
    const auto made = denseclip(kWeights);
    CHECK(batch_equals_singles(*made, at::cat({expected("input"), expected("input").flip(3)})));
    const at::Tensor high = expected("rect_input");  // [1,3,56,24]
    const ImageFeatures features = made->encode(high);
    CHECK(features.patches.sizes() == at::IntArrayRef({1, 7, 3, 32}));
    // What no whole patch covers is cut off at the right and the bottom.
    CHECK(at::equal(made->encode(at::pad(high, {0, 7, 0, 5})).patches, features.patches));
  }

  TEST_CASE("the configuration file names checkpoint, resolution and normalisation; options win over it") {
    const TestFolder folder;
    std::filesystem::copy_file(kFile, folder / "dense.pth");
    const std::string yaml =
        config(folder, "image_resolution: 64, vision_width: 64, vision_layers: 2", "vocab_size: 60",
               "checkpoint: {path: dense.pth}\n"
               "preprocessing: {image_mean: [0.5, 0.25, 0.125], image_std: [1, 2, 3]}\n");
    const ImageSpec spec = denseclip(yaml)->image_spec();
    CHECK(spec.input_size() == 64);
    CHECK(spec.rows() == 8);
    CHECK(spec.mean[1] == doctest::Approx(0.25));
    CHECK(spec.std[2] == doctest::Approx(3));
    CHECK(denseclip(yaml + ", resolution: 32")->image_spec().input_size() == 32);
    CHECK(denseclip(kWeights)->image_spec().mean[0] == doctest::Approx(0.48145466));
    const auto by_yaml = denseclip("config: " + parity_case("clip/denseclip") + "denseclip_tiny.yaml");
    CHECK(at::equal(by_yaml->encode(expected("input")).patches,
                    denseclip(kWeights)->encode(expected("input")).patches));
  }

  TEST_CASE("heads come from options, then from the configuration file") {
    const TestFolder folder;
    const at::Tensor ids = expected("text_ids");
    const at::Tensor one = denseclip(kWeights)->encode_token_ids(ids);
    const std::string yaml = config(folder, "", "transformer_heads: 4");
    const at::Tensor four = denseclip(kWeights + ", " + yaml)->encode_token_ids(ids);
    CHECK_FALSE(at::allclose(one, four, 1e-4, 1e-4));
    CHECK(at::equal(four, denseclip(kWeights + ", text_heads: 4")->encode_token_ids(ids)));
    CHECK(at::equal(one, denseclip(kWeights + ", text_heads: 1, " + yaml)->encode_token_ids(ids)));
    CHECK_FALSE(at::allclose(denseclip(kWeights + ", heads: 2")->encode(expected("input")).patches,
                             denseclip(kWeights)->encode(expected("input")).patches, 1e-4, 1e-4));
  }

  TEST_CASE("texts have length 1 unless they are wanted as they come") {
    const at::Tensor ids = expected("text_ids");
    const at::Tensor unit = denseclip(kWeights)->encode_token_ids(ids);
    CHECK(at::allclose(unit.norm(2, -1), at::ones({4}), 1e-5, 1e-6));
    CHECK(at::allclose(unit, expected("text_embed_normalized"), 2e-4, 2e-4));
    const auto raw = denseclip(kWeights + ", normalize_text: false");
    CHECK(at::allclose(raw->encode_token_ids(ids), expected("text_embed"), 2e-4, 2e-4));
    CHECK(raw->text_fingerprint() != denseclip(kWeights)->text_fingerprint());
  }

  TEST_CASE("the checkpoint's own text tower takes as many ids as it has positions") {
    const TestFolder folder;
    const std::string wide = variant(
        folder, [](const std::string& name) { return name; },
        {{"text_encoder.token_embedding.weight", at::linspace(-1, 1, 515 * 64).view({515, 64}).sin()}});
    const std::string options = wide + ", vocabulary: " + write_vocabulary(folder.path()).string();
    const std::vector<std::string> texts = {"ab", "a a a a a a a a a a a a a a a"};
    const at::Tensor vectors = denseclip(options)->encode_text(texts);
    CHECK(vectors.sizes() == at::IntArrayRef({2, 32}));
    CHECK(at::allclose(vectors.norm(2, -1), at::ones({2}), 1e-5, 1e-6));
    at::Tensor ids = at::full({1, 13}, 353, at::kLong);
    ids[0][0] = 513;
    ids[0][12] = 514;
    CHECK(at::allclose(vectors.slice(0, 1), denseclip(options)->encode_token_ids(ids), 1e-5, 1e-6));
    CHECK_THROWS_AS(denseclip(options + ", truncate: false")->encode_text(texts), Error);
    CHECK(contains(refusal_of(ErrorKind::data,
                              [&] {
                                (void)denseclip(kWeights)->encode_token_ids(at::ones({1, 14}, at::kLong));
                              }),
                   "13"));
  }

  TEST_CASE("text_weights put OpenAI's text tower in the place of the checkpoint's") {
    const auto made = denseclip(kWeights + ", text_weights: " + kOpenAi);
    const at::Tensor ids = expected_tensor("clip/openai_state_dict", "text_ids");
    const at::Tensor clip = expected_tensor("clip/openai_state_dict", "text_embed");
    CHECK(at::allclose(made->encode_token_ids(ids), clip / clip.norm(2, -1, true), 2e-4, 2e-4));
    CHECK(made->text_fingerprint() != denseclip(kWeights)->text_fingerprint());
    CHECK(at::equal(made->encode(expected("input")).patches,
                    denseclip(kWeights)->encode(expected("input")).patches));
    // The configuration file describes the checkpoint's own text tower, which plays no role then.
    const TestFolder folder;
    CHECK_NOTHROW(denseclip(kWeights + ", text_weights: " + kOpenAi + ", " +
                            config(folder, "", "vocab_size: 60, context_length: 77")));
  }

  TEST_CASE("text_weights of any layout give the texts that the backbone clip gives") {
    const TestFolder folder;
    const std::string split =
        changed_copy(folder / "open_clip.pth", kOpenAi, [](std::string& name, at::Tensor&) {
          name = name.starts_with("visual.") || name.find('.') == std::string::npos ? name : "text." + name;
          name = name == "positional_embedding" || name == "text_projection" ? "text." + name : name;
        });
    const std::string hugging_face = parity_case("clip/hf_safetensors") + "model.safetensors";
    const std::string texts = without(folder, "backbone.");
    for (const auto& [file, clip_options] :
         {std::pair{split, ", format: openai"}, {hugging_face, ""}, {kOpenAi, ""}}) {
      CAPTURE(file);
      const auto clip = made_backbone("{plugin: clip, weights: " + file + clip_options + "}");
      const auto made = denseclip(texts + ", normalize_text: false, text_weights: " + file);
      const at::Tensor ids = expected("text_ids").slice(1, 0, 6);
      CHECK(at::equal(made->encode_token_ids(ids), clip->encode_token_ids(ids)));
      CHECK(made->text_fingerprint() == clip->text_fingerprint());
    }
  }

  TEST_CASE("a missing half is named with the file and the option that bring it") {
    const TestFolder folder;
    const auto image = denseclip(without(folder, "text_encoder."));
    CHECK_FALSE(image->capabilities().text);
    CHECK(image->text_fingerprint().empty());
    CHECK(image->encode(expected("input")).patches.isfinite().all().item<bool>());
    const std::string no_text = refusal_of(ErrorKind::checkpoint, [&] {
      (void)image->encode_token_ids(at::zeros({1, 2}, at::kLong));
    });
    CHECK(contains(no_text, "OpenAI's ViT-B-16.pt as `text_weights`"));
    const auto text = denseclip(without(folder, "backbone."));
    const std::string no_image = refusal_of(ErrorKind::checkpoint, [&] {
      (void)text->encode(at::zeros({1, 3, 48, 48}));
    });
    CHECK(contains(no_image, "ViT-B-DenseCLIP.pth) as `weights`"));
    CHECK(contains(refused(ErrorKind::config, "class_embedding: once"), "set `weights`"));
  }

  TEST_CASE("missing and mis-shaped tensors of a tower are an error that names them as the file does") {
    const TestFolder folder;
    CHECK(contains(refused(ErrorKind::checkpoint, without(folder, "backbone.proj")), "backbone.proj"));
    CHECK(contains(refused(ErrorKind::checkpoint, without(folder, "backbone.conv1.weight")),
                   "missing      backbone.conv1.weight"));
    CHECK(contains(refused(ErrorKind::checkpoint, without(folder, "text_encoder.token_embedding.weight")),
                   "missing      text_encoder.token_embedding.weight"));
    CHECK(contains(refused(ErrorKind::checkpoint, without(folder, "text_encoder.ln_final.bias")),
                   "text_encoder.ln_final.bias"));
    CHECK(
        contains(refused(ErrorKind::checkpoint, variant(folder, [](const std::string& name) { return name; },
                                                        {{"backbone.ln_post.weight", at::ones({65})}})),
                 "backbone.ln_post.weight"));
  }

  TEST_CASE("checkpoints of other models are recognised and named") {
    const TestFolder folder;
    CHECK(contains(refused(ErrorKind::checkpoint, "weights: " + kOpenAi), "the backbone clip reads it"));
    const auto resnet = [](const std::string& name) {
      return name == "backbone.conv1.weight" ? std::string("backbone.layer1.0.conv1.weight") : name;
    };
    CHECK(contains(refused(ErrorKind::checkpoint, variant(folder, resnet)), "ResNet"));
    const auto image_alone = [&](const std::string& name) {
      return name.starts_with("text_encoder.") ? std::string() : resnet(name);
    };
    CHECK(contains(refused(ErrorKind::checkpoint, variant(folder, image_alone)), "ResNet"));
    CHECK(contains(
        refused(ErrorKind::checkpoint, "weights: " + parity_case("dino/dinov2_reg4") + "weights.pth"),
        "ViT-B-DenseCLIP.pth"));
    write_safetensors(folder / "other.safetensors", {{"some.weight", at::zeros({2})}});
    CHECK(contains(refused(ErrorKind::checkpoint, "weights: " + (folder / "other.safetensors").string()),
                   "DenseCLIP's checkpoint with a vision transformer"));
    CHECK(contains(
        refusal_of(ErrorKind::checkpoint, [] { (void)made_backbone("{plugin: clip, " + kWeights + "}"); }),
        "DenseCLIP"));
  }

  TEST_CASE("a configuration file that does not belong to the weights is refused") {
    const TestFolder folder;
    const auto told = [&](const std::string& vision, const std::string& text) {
      return refused(ErrorKind::config, kWeights + ", " + config(folder, vision, text));
    };
    CHECK(contains(told("vision_width: 768", ""), "model.vision.vision_width: 768"));
    CHECK(contains(told("vision_patch_size: 16", ""), "has 8"));
    CHECK(contains(told("", "transformer_layers: 12"), "model.text.transformer_layers: 12"));
    CHECK(contains(told("vision_layers: [3, 4, 6, 3]", ""), "ResNet"));
    CHECK(contains(told("vision_width: 0", ""), "expected a number above 0"));
    CHECK(contains(told("vision_width: wide", ""), "model.yaml:3"));
    CHECK(contains(refused(ErrorKind::config,
                           kWeights + ", config: " + folder.write("other.yaml", "plugin: clip\n").string()),
                   "neither model.vision nor model.text"));
    CHECK(contains(refused(ErrorKind::io, config(folder, "", "", "checkpoint: {path: nowhere.pth}\n")),
                   "checkpoint.path names"));
    CHECK(contains(refused(ErrorKind::config, config(folder, "vision_layers: 2", "")), "set `weights`"));
  }

  TEST_CASE("denseclip refuses options, text towers and inputs that do not fit") {
    CHECK(contains(refused(ErrorKind::config, kWeights + ", class_embedding: thrice"), "class_embedding"));
    CHECK(contains(refused(ErrorKind::config, kWeights + ", class_embeding: twice"),
                   "did you mean 'class_embedding'"));
    CHECK(contains(refused(ErrorKind::config, kWeights + ", heads: 3"), "into 3 heads"));
    CHECK(
        contains(refused(ErrorKind::config, kWeights + ", context: 14"), "longer than the text tower's 13"));
    CHECK(contains(
        refused(ErrorKind::checkpoint,
                kWeights + ", text_weights: " + parity_case("clip/timm_safetensors") + "model.safetensors"),
        "holds no text tower, but `text_weights` must be a whole CLIP"));
    CHECK(contains(refused(ErrorKind::checkpoint,
                           kWeights + ", text_weights: " + parity_case("dino/dinov2_reg4") + "weights.pth"),
                   "`text_weights` must be a whole CLIP"));
    CHECK(contains(refusal_of(ErrorKind::data,
                              [] {
                                (void)denseclip(kWeights)->encode(at::zeros({1, 3, 48, 7}));
                              }),
                   "smaller than one patch"));
    CHECK(contains(refusal_of(ErrorKind::data,
                              [] {
                                (void)denseclip(kWeights)->encode(at::zeros({3, 48, 48}));
                              }),
                   "[3,48,48]"));
  }
}

}  // namespace patchioner
