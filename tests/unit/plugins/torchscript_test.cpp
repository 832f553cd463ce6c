// The backbone `torchscript` through the host, on archives that are written here: what it makes of their
// outputs. The archive of a real export is compared by `verify` and below; what is refused stands in
// torchscript_refusals_test.cpp.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>
#include <thread>

#include "image/pixel_norm.hpp"
#include "nn/attention.hpp"
#include "nn/unit_length.hpp"
#include "unit/plugins/script_models.hpp"
#include "unit/plugins/tiny_vocabulary.hpp"

namespace patchioner {
namespace {

const char* const kTokens = "prefix_tokens: 2, global_token: 0";

}  // namespace

TEST_CASE("an exported model gives what running its module gives, to the last bit and every time") {
  const PatchModel model;
  const auto made = model.backbone(kTokens);
  const at::Tensor tokens = model.by_hand("forward", two_images()).toTensor();  // [2,18,6]
  const ImageFeatures features = made->encode(two_images());
  CHECK(at::equal(features.patches, tokens.slice(1, 2).reshape({2, 4, 4, 6})));
  CHECK(at::equal(features.global, tokens.select(1, 0)));
  CHECK_FALSE(features.attention.defined());
  CHECK(made->dim() == 6);
  CHECK(made->image_spec().patch_size == 4);
  CHECK(made->capabilities().global);
  CHECK_FALSE(made->capabilities().attention);
  CHECK_FALSE(made->capabilities().text);
  CHECK(made->text_fingerprint().empty());
  for (int i = 0; i < 5; ++i) {
    CHECK(at::equal(made->encode(two_images()).patches, features.patches));
  }
}

TEST_CASE("patches are read in every layout") {
  const PatchModel model;
  const at::Tensor grid = model.by_hand("grid", two_images()).toTensor();  // [2,4,4,6]
  for (const std::string options :
       {"method: channels, patch_layout: channels", "method: grid, patch_layout: grid", "method: bare",
        "prefix_tokens: 2, patch_size: 4", "method: pair, patches: 0, prefix_tokens: 2",
        "method: named, patches: tokens, prefix_tokens: 2",
        "method: nested, patches: '0.0', prefix_tokens: 2"}) {
    CAPTURE(options);
    const ImageFeatures features = model.backbone(options)->encode(two_images());
    CHECK(at::equal(features.patches, grid));
    CHECK(features.patches.is_contiguous());
    CHECK_FALSE(features.global.defined());
  }
}

TEST_CASE("one vector an image is a grid of one patch, and the global vector too") {
  const PatchModel model;
  const auto made = model.backbone("method: vector, patch_layout: vector");
  const ImageFeatures features = made->encode(two_images());
  const at::Tensor vectors = model.by_hand("vector", two_images()).toTensor();  // [2,6]
  CHECK(at::equal(features.patches, vectors.reshape({2, 1, 1, 6})));
  CHECK(at::equal(features.global, vectors));
  CHECK(made->image_spec().patch_size == 16);
  CHECK(made->image_spec().rows() == 1);
  // The model would take them, but its vector would be no grid of theirs.
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{1, 3, 32, 48}, std::vector<int64_t>{2, 3, 16, 17}, {1, 3, 8, 8}}) {
    CAPTURE(shape);
    mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(at::zeros(shape)); }),
             "with `patch_layout: vector` an image is one patch, and expected are [B,3,16,16]");
  }
}

TEST_CASE("the global vector is an output of its own, or a token of one") {
  const PatchModel model;
  const at::Tensor tokens = model.by_hand("forward", two_images()).toTensor();
  const auto global = [&](const std::string& options) {
    return model.backbone(options + ", prefix_tokens: 2")->encode(two_images()).global;
  };
  CHECK(at::equal(global("method: pair, patches: 0, global: 1"), tokens.select(1, 0)));
  CHECK(at::equal(global("global_token: 1"), tokens.select(1, 1)));
  CHECK(at::equal(global("method: named, patches: tokens, global: image"), tokens.mean(1)));
  CHECK(at::equal(global("method: named, patches: tokens, global: classes, global_token: 1"),
                  tokens.select(1, 1)));
}

TEST_CASE("attention in every layout, as probabilities or logits, becomes one map that sums to 1") {
  const PatchModel model;
  const c10::IValue outputs = model.by_hand("attentive", two_images());
  const at::Tensor logits = outputs.toGenericDict().at("logits").toTensor();  // [2,2,18,18]
  const at::Tensor expected = attention_map(logits.select(2, 0).slice(2, 2), MapReduce::logits);
  const std::string tokens = std::string("method: attentive, patches: tokens, ") + kTokens;
  for (const std::string options :
       {"attention: logits, attention_layout: full, attention_values: logits",
        "attention: full, attention_layout: full", "attention: row, attention_layout: heads",
        "attention: patches, attention_layout: heads"}) {
    CAPTURE(options);
    const auto made = model.backbone(tokens + ", " + options);
    CHECK(made->capabilities().attention);
    const at::Tensor map = made->encode(two_images()).attention;
    CHECK(map.sizes() == at::IntArrayRef({2, 4, 4}));
    CHECK(at::allclose(map.flatten(1), expected, 1e-5, 1e-7));
  }
  const at::Tensor of_heads = attention_map(logits.select(2, 0).slice(2, 2), MapReduce::probs);
  const std::string probs = tokens + ", map_reduce: probs, attention: full, attention_layout: full";
  CHECK(at::allclose(model.backbone(probs)->encode(two_images()).attention.flatten(1), of_heads, 1e-5, 1e-7));
  const at::Tensor flat = outputs.toGenericDict().at("flat").toTensor();  // [2,16], of any sum
  for (const std::string options : {"attention: flat", "attention: map"}) {
    const at::Tensor map = model.backbone(tokens + ", " + options)->encode(two_images()).attention;
    CHECK(at::allclose(map.flatten(1), flat / flat.sum(1, true), 1e-5, 1e-7));
  }
}

TEST_CASE("a transformer that PyTorch traced gives the reference's tokens, class token and attention map") {
  // The archive of a golden case, whose encode_image is made to give the tokens and the last block's
  // attention, which it computes, and not the class token alone.
  const TestFolder folder;
  change_archive(parity_case("clip/openai_torchscript") + "ViT-T-3.pt", folder / "tokens.pt",
                 [](std::string& name, std::string& content) {
                   if (name.ends_with("code/__torch__/gen_clip.py")) {
                     replace(content,
                             "x: Tensor) -> Tensor:", "x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:");
                     replace(content, "return torch.select(_39, 1, 0)", "return (_39, lg, a)");
                   }
                 });
  const std::string options =
      "{plugin: torchscript, method: encode_image, resolution: 21, patches: 0, prefix_tokens: 1, "
      "global_token: 0, attention_layout: full, weights: " +
      (folder / "tokens.pt").string();
  const at::Tensor input = expected_tensor("clip/openai_torchscript", "input");
  const at::Tensor tokens = expected_tensor("clip/openai_torchscript", "tokens");  // [1,50,48]
  const at::Tensor map = expected_tensor("clip/openai_torchscript", "attn_map");   // [1,49]
  for (const std::string attention : {"attention: 1, attention_values: logits", "attention: 2"}) {
    const auto made = made_backbone(options + ", " + attention + "}");
    const ImageFeatures features = made->encode(input);
    CHECK(made->image_spec().patch_size == 3);
    CHECK(at::allclose(features.patches.flatten(1, 2), tokens.slice(1, 1), 2e-4, 2e-4));
    CHECK(at::allclose(features.global, tokens.select(1, 0), 2e-4, 2e-4));
    CHECK(at::allclose(features.attention.flatten(1), map, 2e-4, 2e-4));
  }
}

TEST_CASE("the description of the input becomes the image spec") {
  const PatchModel model;
  const ImageSpec plain = model.backbone("method: bare")->image_spec();
  CHECK(plain.input_size() == 16);
  CHECK_FALSE(plain.keep_img_ratio);
  CHECK(plain.mean == kImageNetNorm.mean);
  CHECK(plain.std == kImageNetNorm.std);
  const ImageSpec cropped =
      model.backbone("method: bare, keep_img_ratio: true, resize_dim: 20, mean: [0, 0, 0], std: [1, 1, 0.5]")
          ->image_spec();
  CHECK(cropped.resize_dim == 20);
  CHECK(cropped.crop_dim == 16);
  CHECK(cropped.input_size() == 16);
  CHECK(cropped.mean == std::array<float, 3>{0, 0, 0});
  CHECK(cropped.std == std::array<float, 3>{1, 1, 0.5F});
}

TEST_CASE("other sizes than the description's are taken where the model takes them") {
  const auto made = PatchModel().backbone("method: bare");
  CHECK(made->encode(at::zeros({1, 3, 8, 24})).patches.sizes() == at::IntArrayRef({1, 2, 6, 6}));
}

TEST_CASE("features and texts are brought to length 1 when asked for") {
  const PatchModel model;
  const std::string options = std::string(kTokens) + ", text_method: text, context: 5";
  const auto plain = model.backbone(options);
  const auto unit = model.backbone(options + ", normalize: true");
  const ImageFeatures features = plain->encode(two_images());
  CHECK(at::allclose(unit->encode(two_images()).patches, unit_rows(features.patches)));
  CHECK(at::allclose(unit->encode(two_images()).global, unit_rows(features.global)));
  const at::Tensor ids = at::tensor({1, 2, 3, 4, 5}, at::kLong).unsqueeze(0);
  CHECK(at::allclose(unit->encode_token_ids(ids), unit_rows(plain->encode_token_ids(ids))));
}

TEST_CASE("the model's outputs are intermediates by their names") {
  const PatchModel model;
  const auto made = model.backbone("method: named, patches: tokens, prefix_tokens: 2");
  const std::vector<std::string> names = {"tokens", "image", "classes"};
  CHECK(made->intermediate_names() == names);
  CHECK(made->encode(two_images()).intermediates.empty());
  const auto dict = model.by_hand("named", two_images()).toGenericDict();
  const ImageFeatures features = made->encode(two_images(), names);
  for (const std::string& name : names) {
    CHECK(at::equal(features.intermediates.at(name), dict.at(name).toTensor()));
  }
  const std::vector<std::string> wrong = {"clases"};
  mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(two_images(), wrong); }),
           "did you mean 'classes'");
  CHECK(model.backbone("method: bare")->intermediate_names() == std::vector<std::string>{"output"});
  CHECK(model.backbone("method: nested, patches: '0.0', prefix_tokens: 2")->intermediate_names() ==
        std::vector<std::string>{"0.0", "0.1", "1"});
}

TEST_CASE("texts go through a method of the same archive, or of another") {
  const PatchModel model;
  const TestFolder folder;
  const std::string vocabulary = ", vocabulary: " + write_vocabulary(folder.path()).string();
  const std::vector<std::string> texts = {"ab", "b ab"};
  const at::Tensor ids = at::tensor({513, 512, 514, 0, 513, 354, 512, 514}, at::kLong).view({2, 4});
  const at::Tensor expected = model.by_hand("text", ids).toTensor();  // [2,6]
  const std::string other = ", text_weights: " + model.file();
  for (const std::string& options :
       {std::string("text_method: text"), "text_method: text" + other,
        std::string("text_method: pair_of_texts, text_features: 1"), "text_method: text, batch: 1" + other}) {
    CAPTURE(options);
    const auto made = model.backbone("method: bare, context: 4, " + options + vocabulary);
    CHECK(made->capabilities().text);
    CHECK(at::equal(made->encode_text(texts), expected));
    CHECK(at::equal(made->encode_token_ids(ids), expected));
    CHECK(made->encode_text({}).sizes() == at::IntArrayRef({0, 6}));
  }
  const auto ids_alone = model.backbone("method: bare, context: 4, text_method: text");
  CHECK_FALSE(ids_alone->capabilities().text);
  CHECK(at::equal(ids_alone->encode_token_ids(ids), expected));
  mentions(refusal_of(ErrorKind::config, [&] { (void)ids_alone->encode_text(texts); }), "set `vocabulary`");
  const std::vector<std::string> too_long = {"a a a a"};
  const auto strict =
      model.backbone("method: bare, context: 4, truncate: false, text_method: text" + vocabulary);
  CHECK_THROWS_AS(strict->encode_text(too_long), Error);
  const auto none = model.backbone("method: bare");
  mentions(refusal_of(ErrorKind::config, [&] { (void)none->encode_text(texts); }),
           "the model has no text side; set `text_method`");
}

TEST_CASE("the fingerprint of the text side changes with what changes its vectors, and with nothing else") {
  const PatchModel model;
  const PatchModel copy;
  const auto print = [](const PatchModel& from, const std::string& options) {
    return from.backbone("method: bare, text_method: text, " + options)->text_fingerprint();
  };
  const std::string plain = print(model, "context: 4");
  CHECK(plain.starts_with("torchscript_text:"));
  CHECK(print(model, "context: 5") != plain);
  CHECK(print(model, "context: 4, normalize: true") != plain);
  CHECK(print(model, "context: 4, text_clean: none") != plain);
  CHECK(print(copy, "context: 4") == plain);
  CHECK(print(model, "context: 4, truncate: false") == plain);
  CHECK(print(model, "context: 4, batch: 1") == plain);
  CHECK(print(PatchModel(at::kBFloat16), "context: 4") != plain);
}

TEST_CASE("a model computes in the precision that is asked for, and hands out float32") {
  const PatchModel model;
  const at::Tensor tokens = model.by_hand("bare", two_images()).toTensor();
  PluginContext context;
  context.precision = at::kBFloat16;
  PluginHost host;
  const auto patches = [&](const PatchModel& from, const std::string& options) {
    const Value section = parse_yaml(from.yaml("method: bare, " + options), "test.yaml");
    return host.backbone(section, context)->encode(two_images()).patches.flatten(1, 2);
  };
  const at::Tensor half = patches(model, "");
  CHECK((half.scalar_type() == at::kFloat));
  CHECK_FALSE(at::equal(half, tokens));
  CHECK(at::allclose(half, tokens, 3e-2, 3e-2));
  CHECK(at::equal(patches(model, "precision: fp32"), tokens));
  CHECK(at::equal(patches(model, "precision: stored"), tokens));
  const PatchModel stored(at::kBFloat16);
  CHECK(at::equal(patches(stored, "precision: stored"), half));
  CHECK_FALSE(at::equal(patches(stored, "precision: fp32"), half));
}

TEST_CASE("a device that an export wrote into the code is replaced by the one that the model runs on") {
  const TestFolder folder;
  torch::jit::Module module("__torch__.Model");
  module.define(R"(
def half(self):
    return torch.full([1], 0.5, dtype=6, layout=None, device=torch.device("cuda:1"), pin_memory=False)

def forward(self, x):
    pooled = torch.avg_pool2d(x, [4, 4])
    if x.size(0) > 0:
        pooled = pooled + torch.ones([1], dtype=6, layout=None, device=torch.device("cuda:1"), pin_memory=False)
    return pooled * self.half()
)");
  module.save((folder / "model.pt").string());
  const auto backbone =
      made_backbone("{plugin: torchscript, resolution: 16, patch_layout: channels, weights: " +
                    (folder / "model.pt").string() + "}");
  const at::Tensor expected = (at::avg_pool2d(two_images(), {4, 4}).permute({0, 2, 3, 1}) + 1) * 0.5;
  CHECK(at::equal(backbone->encode(two_images()).patches, expected));
}

TEST_CASE("training is turned off, the input is left alone, and the caller's mode does not matter") {
  const TestFolder folder;
  torch::jit::Module module("__torch__.Model");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(R"(
def forward(self, x):
    x.mul_(2)
    return torch.dropout(torch.avg_pool2d(x, [4, 4]), 0.5, self.training)
)");
  module.save((folder / "model.pt").string());
  const std::string yaml = "{plugin: torchscript, resolution: 16, patch_layout: channels, weights: " +
                           (folder / "model.pt").string() + "}";
  const at::Tensor expected = at::avg_pool2d(two_images(), {4, 4}).permute({0, 2, 3, 1}) * 2;
  const auto gives_expected = [&](const Backbone& made) {
    const at::Tensor pixels = two_images();
    return at::equal(made.encode(pixels).patches, expected) && at::equal(pixels, two_images());
  };
  const auto made_outside = made_backbone(yaml);
  CHECK(gives_expected(*made_outside));
  std::shared_ptr<Backbone> made_inside;
  {
    const c10::InferenceMode inference;
    CHECK(gives_expected(*made_outside));
    made_inside = made_backbone(yaml);
    CHECK(gives_expected(*made_inside));
  }
  CHECK(gives_expected(*made_inside));
}

TEST_CASE("many threads share one model, also one that keeps something between two lines of its code") {
  const TestFolder folder;
  const std::string file = write_script_model(folder / "model.pt", R"(
def forward(self, x):
    self.kept = x.mean([2, 3])
    y = torch.avg_pool2d(x, [4, 4])
    return y + self.kept.unsqueeze(2).unsqueeze(3)
)",
                                              {{"kept", at::zeros({1, 3})}});
  const auto made =
      made_backbone("{plugin: torchscript, resolution: 16, patch_layout: channels, weights: " + file + "}");
  std::vector<std::thread> threads;
  std::vector<int> right(8);
  for (size_t i = 0; i < right.size(); ++i) {
    threads.emplace_back([&, i] {
      const at::Tensor pixels = two_images() * static_cast<double>(i + 1);
      const at::Tensor expected =
          (at::avg_pool2d(pixels, {4, 4}) + pixels.mean({2, 3}, true)).permute({0, 2, 3, 1});
      for (int repeat = 0; repeat < 50; ++repeat) {
        right[i] += at::equal(made->encode(pixels).patches, expected) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(right == std::vector<int>(8, 50));
}

TEST_CASE("a model traced for one image is given one at a time") {
  const TestFolder folder;
  const std::string file = write_script_model(folder / "model.pt", R"(
def forward(self, x):
    return torch.conv2d(x, self.weight, None, [4, 4]).reshape([1, 6, 16]).transpose(1, 2)

def merging(self, x):
    return torch.conv2d(x, self.weight, None, [4, 4]).reshape([1, 6, 16, -1]).mean([3]).transpose(1, 2)

def first(self, x):
    rows = torch.conv2d(x, self.weight, None, [4, 4]).flatten(2).transpose(1, 2)
    return rows.slice(0, 0, 1).expand([x.size(0), 16, 6])
)",
                                              {{"weight", at::ones({6, 3, 4, 4})}});
  const std::string yaml = "{plugin: torchscript, resolution: 16, weights: " + file;
  const ImageFeatures features = made_backbone(yaml + ", batch: 1}")->encode(two_images());
  CHECK(at::allclose(features.patches,
                     at::conv2d(two_images(), at::ones({6, 3, 4, 4}), {}, 4).permute({0, 2, 3, 1})));
  for (const std::string method : {"forward", "merging", "first"}) {
    const auto made = made_backbone(yaml + ", method: " + method + "}");
    mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(two_images()); }), "set `batch: 1`");
  }
  // Whose text method was traced with a single text, and takes the first one's tokens for every text after
  // it.
  const std::string traced =
      "{plugin: torchscript, method: encode_image, resolution: 21, patch_layout: vector, text_method: "
      "encode_text, context: 10, weights: " +
      parity_case("clip/openai_torchscript") + "ViT-T-3.pt";
  const at::Tensor ids = expected_tensor("clip/openai_torchscript", "text_ids");
  mentions(refusal_of(ErrorKind::data, [&] { (void)made_backbone(traced + "}")->encode_token_ids(ids); }),
           "encode_text of ViT-T-3.pt gives a row of 'output' other values among 4 rows than alone; set "
           "`batch: 1`");
}

TEST_CASE("numbers that are none are handed out as they come, and are no sign of a wrong batch") {
  const TestFolder folder;
  const std::string file = write_script_model(folder / "model.pt", R"(
def forward(self, x):
    return torch.log(torch.conv2d(x, self.weight, None, [4, 4])).flatten(2).transpose(1, 2)

def traced(self, x):
    rows = self.forward(x)
    return rows.slice(0, 0, 1).expand([x.size(0), 16, 6])
)",
                                              {{"weight", at::ones({6, 3, 4, 4})}});
  const std::string yaml = "{plugin: torchscript, resolution: 16, weights: " + file;
  const at::Tensor sums = at::conv2d(two_images(), at::ones({6, 3, 4, 4}), {}, 4).permute({0, 2, 3, 1});
  REQUIRE(sums[1].lt(0).any().item<bool>());
  REQUIRE(sums[1].gt(0).any().item<bool>());
  const at::Tensor patches = made_backbone(yaml + "}")->encode(two_images()).patches;
  CHECK(at::allclose(patches, sums.log(), 1e-4, 1e-4, /*equal_nan=*/true));
  // Infinite ones too: of pixels of zeros.
  const at::Tensor zeros = made_backbone(yaml + "}")->encode(at::zeros({2, 3, 16, 16})).patches;
  CHECK(zeros.isinf().all().item<bool>());
  const auto traced = made_backbone(yaml + ", method: traced}");
  mentions(refusal_of(ErrorKind::data, [&] { (void)traced->encode(two_images()); }), "set `batch: 1`");
}

TEST_CASE("the archive that the program is tested with is the model of colours") {
  const std::string source = PATCHIONER_SOURCE_DIR;
  const auto clip =
      made_backbone("{plugin: clip, format: openai, weights: " + source +
                    "/models/emoji/clip.pth, vocabulary: " + source + "/models/emoji/tokenizer/vocab.json}");
  const std::string written = write_colour_model(std::string(PATCHIONER_BINARY_DIR) + "/colours.pt",
                                                 clip->encode_text(kColouredThings));
  const std::string options =
      ", resolution: 112, patches: patches, patch_layout: grid, global: global, mean: [0, 0, 0], std: [1, 1, "
      "1]}";
  const at::Tensor pixels = at::rand({1, 3, 112, 112}, at::make_generator<at::CPUGeneratorImpl>(1));
  const at::Tensor expected =
      made_backbone("{plugin: torchscript, weights: " + written + options)->encode(pixels).patches;
  INFO("after a change to the model or to models/emoji/clip.pth: copy " << written << " to tests/e2e/models");
  const auto shipped =
      made_backbone("{plugin: torchscript, weights: " + source + "/tests/e2e/models/colours.pt" + options);
  CHECK(at::allclose(shipped->encode(pixels).patches, expected, 1e-3, 1e-3));
}

}  // namespace patchioner
