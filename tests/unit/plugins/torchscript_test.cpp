// The backbone `torchscript` through the host, on archives that are written here: what it makes of their
// outputs, and what it says when a description does not fit. The archive of a real export is compared by
// `verify` and below.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <patchioner/error.hpp>
#include <thread>

#include "checkpoint/zip_archive.hpp"
#include "checkpoint/zip_writer.hpp"
#include "image/pixel_norm.hpp"
#include "nn/attention.hpp"
#include "nn/unit_length.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"
#include "unit/plugins/script_models.hpp"
#include "unit/plugins/tiny_vocabulary.hpp"

namespace patchioner {
namespace {

/// Two images of 16 x 16 pixels.
at::Tensor two_images() {
  return at::cos(at::arange(2 * 3 * 16 * 16, at::kFloat) * 0.37).reshape({2, 3, 16, 16});
}

/// kPatchModel in a folder of its own.
class PatchModel {
 public:
  explicit PatchModel(at::ScalarType precision = at::kFloat)
      : file_(write_patch_model(folder_ / "model.pt", precision)) {}

  const std::string& file() const { return file_; }

  std::string yaml(const std::string& options, const std::string& resolution = "16") const {
    return "{plugin: torchscript, weights: " + file_ + ", resolution: " + resolution + ", " + options + "}";
  }

  std::shared_ptr<Backbone> backbone(const std::string& options) const {
    return made_backbone(yaml(options));
  }

  /// What a method gives when the module is run without the plugin.
  c10::IValue by_hand(const std::string& method, const at::Tensor& input) const {
    const at::NoGradGuard no_gradients;
    torch::jit::Module module = torch::jit::load(file_);
    return module.get_method(method)({input});
  }

  std::string refused(const std::string& options) const {
    return refusal_of(ErrorKind::config, [&] { (void)backbone(options); });
  }

 private:
  TestFolder folder_;
  std::string file_;
};

/// A copy of an archive in which `change` may change every entry, or leave it out by emptying its name.
void change_archive(const std::string& from, const std::filesystem::path& to,
                    const std::function<void(std::string& name, std::string& content)>& change) {
  const auto archive = ZipArchive::open(MappedFile::open(from));
  ZipWriter writer(to);
  for (const ZipEntry& entry : archive->entries()) {
    std::string name = entry.name;
    const ByteRange bytes = archive->read(entry);
    std::string content(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size());
    change(name, content);
    if (!name.empty()) {
      writer.add(name, content);
    }
  }
  writer.finish();
}

void replace(std::string& text, const std::string& old, const std::string& changed) {
  const size_t place = text.find(old);
  REQUIRE(place != std::string::npos);
  text.replace(place, old.size(), changed);
}

std::string refused_file(const std::filesystem::path& file) {
  return refusal_of(ErrorKind::checkpoint, [&] {
    (void)made_backbone("{plugin: torchscript, resolution: 16, weights: " + file.string() + "}");
  });
}

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

TEST_CASE("methods that are not there, or want other inputs, are told with those that fit") {
  const PatchModel model;
  mentions(model.refused("method: forwrd"),
           "model.pt has no method 'forwrd', which `method` names; did you mean 'forward'?");
  mentions(model.refused("method: encode"), "; known are: channels, grid, bare, vector, forward");
  mentions(model.refused("method: two"),
           "the method two of model.pt takes (image: Tensor, ids: Tensor), but it is given nothing but "
           "images; set `method` to channels or grid");
  mentions(model.refused("method: bare, text_method: txt"),
           "which `text_method` names; did you mean 'text'?");
  mentions(model.refused("method: number"), "number of model.pt gives Int, but a tensor or a tuple");
}

TEST_CASE(
    "a layout that does not fit names the output, its shape, what was expected, and the option to change") {
  const PatchModel model;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"method: channels",
       "channels of model.pt gives [1,6,4,4] for `patches`, but `patch_layout: tokens` is [B,T,D]; "
       "[B,D,rows,columns] is `patch_layout: channels`"},
      {"method: vector",
       "gives [1,6] for `patches`, but `patch_layout: tokens` is [B,T,D]; [B,D] is `patch_layout: vector`"},
      {"method: bare, patch_layout: grid",
       "gives [1,16,6] for `patches`, but `patch_layout: grid` is [B,rows,columns,D]; [B,T,D] is "
       "`patch_layout: tokens`"},
      {"method: channels, patch_layout: grid",
       "gives [1,6,4,4] for `patches`, a grid of 6 x 4 by `patch_layout: grid`, but a square image was "
       "given"},
      {"method: forward",
       "forward of model.pt gives [1,18,6] for `patches`: 18 tokens, which are no square grid of patches "
       "behind 0 others (`prefix_tokens`); `prefix_tokens: 2` would leave 4 x 4"},
      {"method: forward, patch_size: 4",
       "18 tokens behind the 0 of `prefix_tokens`, but 4 x 4 patches were expected; set `prefix_tokens: 2`, "
       "or `patch_size`"},
      {"method: bare, patch_size: 2",
       "16 tokens behind the 0 of `prefix_tokens`, but 8 x 8 patches were expected; set `patch_size`"},
      {"method: channels, patch_layout: channels, patch_size: 8",
       "a grid of 4 x 4 by `patch_layout: channels`, but 2 x 2 patches were expected"},
      {"method: vector, patch_layout: vector, patch_size: 4",
       "a grid of 1 x 1 by `patch_layout: vector`, but 4 x 4"},
      {"method: bare, dim: 8", "gives [1,16,6] for `patches`, vectors of 6 dimensions, but `dim` is 8"},
      {"method: pair",
       "pair of model.pt gives several outputs (0 [1,18,6], 1 [1,6]); say by `patches` which one is meant"},
      {"method: pair, patches: 2", "`patches` is '2', but pair of model.pt gives 0 [1,18,6], 1 [1,6]"},
      {"method: named, patches: tokns",
       "gives tokens [1,18,6], image [1,6], classes [1,2,6]; did you mean 'tokens'?"},
      {"method: bare, patches: [0]", "test.yaml:1:"},
      {"method: bare, patches: 1.5",
       "`patches` must be the place of an output in a tuple (0, 1 ... or '1.0' in quotes) or its key in a "
       "dict, found"},
      {"method: bare, global_token: 0", "`global_token: 0` with `prefix_tokens: 0` is one of the patches"},
      {"method: grid, patch_layout: grid, global_token: 0",
       "but `patches` has `patch_layout: grid`; say by `global`"},
      {"method: named, patches: tokens, prefix_tokens: 2, global: tokens",
       "gives [1,18,6] for `global`: tokens; set `global_token` to the place of the class token among them, "
       "0 to 17"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, global: full",
       "gives [1,2,18,18] for `global`, but [B,D]"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, global: flat",
       "gives an image's vector of shape [1,16] for `global`, but [1,6] was expected"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, attention: full",
       "gives [1,2,18,18] for `attention`, but `attention_layout: map` is [B,rows,columns] or [B,G], with G "
       "= 4 x 4 patches and T = 2 + G; set `attention_layout`"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, attention: negative",
       "gives [1,16] for `attention` with negative values, which are no probabilities; set "
       "`attention_values: logits`"},
      {"method: bare, attention: output, attention_layout: full",
       "`prefix_tokens: 0` says that there is no class token"},
      {"method: bare, context: 4, text_method: pair_of_texts",
       "several outputs (0 [1,4,6], 1 [1,6]); say by `text_features`"},
      {"method: bare, context: 4, text_method: pair_of_texts, text_features: 0",
       "pair_of_texts of model.pt gives [1,4,6] for `text_features` of 1 text, but [N,D] was expected"},
  };
  for (const auto& [options, sentence] : cases) {
    CAPTURE(options);
    mentions(model.refused(options), sentence);
  }
}

TEST_CASE("texts that are not as wide as patches are refused") {
  const PatchModel model;
  const TestFolder folder;
  const std::string text =
      write_script_model(folder / "text.pt", "def forward(self, ids):\n    return ids.float()\n", {});
  mentions(model.refused("method: bare, context: 4, text_weights: " + text),
           "bare of model.pt gives patches of 6 dimensions and texts of 4; they share no space");
}

TEST_CASE("options of the wrong kind are refused with their place") {
  const PatchModel model;
  mentions(model.refused("method: bare, mean: imagenet"),
           "`mean` must be three numbers, of R, G and B, such as");
  mentions(model.refused("method: bare, std: [1, 0, 1]"),
           "`std` must be three numbers, of R, G and B, above 0");
  mentions(model.refused("method: bare, mean: [1, a, 1]"), "test.yaml:1:");
  mentions(model.refused("prefix_token: 2"), "did you mean 'prefix_tokens'?");
  mentions(model.refused("patch_layout: token"), "did you mean 'tokens'?");
  mentions(refusal_of(ErrorKind::config,
                      [&] { (void)made_backbone("{plugin: torchscript, weights: " + model.file() + "}"); }),
           "'backbone.resolution' is required");
}

TEST_CASE("what goes wrong in a model's code is told without its traceback") {
  const PatchModel model;
  const auto made = model.backbone("method: bare");
  const std::string sentence = refusal_of(ErrorKind::data, [&] {
    (void)made->encode(at::zeros({1, 3, 2, 8}));
  });
  mentions(sentence, "bare of model.pt failed on an input of shape [1,3,2,8] (float32): ");
  mentions(sentence, "Kernel size");
  CHECK_FALSE(contains(sentence, "\n"));
  CHECK_FALSE(contains(sentence, "Traceback"));
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)made->encode(at::zeros({3, 16, 16}));
                      }),
           "expected [B,3,H,W]");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)model.backbone("method: bare, text_method: text")
                            ->encode_token_ids(at::zeros({4}, at::kLong));
                      }),
           "expected [N,C]");
}

TEST_CASE("a file that is no TorchScript archive is told by what it is, and how to export one") {
  const TestFolder folder;
  write_torch_state_dict(folder / "weights.pth", {{"a.weight", at::ones({2, 2})}});
  mentions(refused_file(folder / "weights.pth"),
           "weights.pth (torch zip) holds tensors without the code that computes with them, but `weights` "
           "must be a TorchScript archive; in Python torch.jit.trace(model.eval(), images).save(FILE) writes "
           "one");
  const std::string known = refused_file(parity_case("dino/dinov2_reg4") + "weights.pth");
  mentions(
      known,
      "holds an official DINOv2 (2 blocks of width 32, patches of 14 with 4 registers) without the code");
  mentions(known, "writes one; as it is, the backbone talk2dino reads it as `weights`");
  mentions(refused_file(parity_case("clip/hf_safetensors") + "model.safetensors"),
           "(safetensors) holds a Hugging Face CLIP");
  folder.write("page.pt", "<html>not found</html>");
  mentions(refused_file(folder / "page.pt"), "a web page");
  ZipWriter other(folder / "other.zip");
  other.add("notes.txt", "nothing");
  other.finish();
  mentions(refused_file(folder / "other.zip"),
           "no TorchScript code is in this archive, but `weights` must be");
  ZipWriter program(folder / "model.pt2");
  program.add("model/archive_format", "pt2");
  program.add("model/data/aotinductor/model/model.so", "");
  program.finish();
  mentions(refused_file(folder / "model.pt2"), "is what torch.export or AOTInductor writes (.pt2)");
  mentions(refusal_of(ErrorKind::io,
                      [&] {
                        (void)made_backbone("{plugin: torchscript, resolution: 16, weights: " +
                                            (folder / "absent.pt").string() + "}");
                      }),
           "absent.pt");
}

TEST_CASE("an archive of another PyTorch is refused by name") {
  const PatchModel model;
  const TestFolder folder;
  change_archive(model.file(), folder / "newer.pt", [](std::string& name, std::string& content) {
    if (name.ends_with("/version")) {
      content = "99\n";
    }
  });
  mentions(refused_file(folder / "newer.pt"),
           "`weights` was exported by a newer PyTorch: its format is version 99, and LibTorch " TORCH_VERSION
           " reads up to version 10; export it with PyTorch " TORCH_VERSION " or an older one");
  change_archive(model.file(), folder / "unknown.pt", [](std::string& name, std::string& content) {
    if (name.ends_with(".py")) {
      replace(content, "torch.mean(", "ops.torchvision.nms(");
    }
  });
  const std::string unknown = refused_file(folder / "unknown.pt");
  mentions(unknown, "LibTorch " TORCH_VERSION " cannot open `weights`: ");
  mentions(unknown, "torchvision");
  CHECK_FALSE(contains(unknown, "\n"));
  change_archive(model.file(), folder / "damaged.pt", [](std::string& name, std::string& content) {
    if (name.ends_with("/data.pkl")) {
      content.resize(content.size() / 2);
    }
  });
  mentions(refused_file(folder / "damaged.pt"), "cannot open `weights`: ");
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
