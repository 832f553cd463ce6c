// The backbone `dinotxt` through the host, on its golden case's tiny checkpoints. What it computes is
// compared by `verify`; here stands what its options change, what it offers, and what it refuses.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "refusals.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"
#include "unit/plugins/tiny_vocabulary.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

const std::string kCase = parity_case("dino/dinotxt");
const std::string kImages = "{plugin: dinotxt, heads: 4, weights: " + kCase + "dinov2_reg4.pth";
const std::string kHead = ", vision_head_weights: " + kCase + "vision_head.pth";
const std::string kTexts = "{plugin: dinotxt, text_heads: 5, text_weights: " + kCase + "text_encoder.pth";
const std::string kWhole = kImages + kHead + ", text_heads: 5, text_weights: " + kCase + "text_encoder.pth";

std::string refused(ErrorKind kind, const std::string& yaml) {
  return refusal_of(kind, [&] { (void)made_backbone(yaml); });
}

at::Tensor expected(const std::string& name) {
  return expected_tensor("dino/dinotxt", name);
}

bool close(const at::Tensor& ours, const at::Tensor& theirs) {
  return at::allclose(ours, theirs, 3e-4, 3e-4);
}

/// The tensor with every axis of a width's multiple up to three cut to half.
at::Tensor half_as_wide(at::Tensor tensor, int64_t width) {
  for (int64_t axis = 0; axis < tensor.dim(); ++axis) {
    const int64_t size = tensor.size(axis);
    if (size == width || size == 3 * width) {
      tensor = tensor.narrow(axis, 0, size / 2);
    }
  }
  return tensor;
}

}  // namespace

TEST_CASE("dinotxt hands out tokens after its vision head, and DINOv2's own without it") {
  const at::Tensor input = expected("nonsquare/input");
  const auto with = made_backbone(kImages + kHead + "}");
  const ImageFeatures features = with->encode(input);
  CHECK(features.patches.sizes() == at::IntArrayRef({1, 3, 5, 32}));
  CHECK(close(features.patches.flatten(1, 2), expected("nonsquare/patch_tokens")));
  CHECK(close(features.global, expected("nonsquare/class_token")));
  CHECK(with->dim() == 32);
  CHECK(with->capabilities().attention);
  CHECK_FALSE(with->capabilities().text);
  CHECK(with->text_fingerprint().empty());
  const ImageFeatures without = made_backbone(kImages + kHead + ", vision_head: false}")->encode(input);
  CHECK(close(without.patches.flatten(1, 2), expected("nonsquare/backbone/x_norm_patchtokens")));
  CHECK(close(without.global, expected("nonsquare/backbone/x_norm_clstoken")));
  CHECK_FALSE(close(without.patches, features.patches));
  CHECK(at::equal(without.attention, features.attention));
}

TEST_CASE("dinotxt names DINOv2's tokens and the head's apart, and knows no others") {
  const auto made = made_backbone(kImages + kHead + "}");
  const at::Tensor input = expected("native/input");
  const std::vector<std::string> names = made->intermediate_names();
  const ImageFeatures features = made->encode(input, names);
  CHECK(features.intermediates.size() == names.size());
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(features.intermediates.at(name).isfinite().all().item<bool>());
  }
  CHECK(
      close(features.intermediates.at("x_norm_patchtokens"), expected("native/backbone/x_norm_patchtokens")));
  CHECK(close(features.intermediates.at("image_features"), expected("native/image_features")));
  CHECK(features.intermediates.at("register_tokens").sizes() == at::IntArrayRef({2, 4, 32}));
  CHECK(made->encode(input).intermediates.empty());
  const std::vector<std::string> wrong = {"patch_tokns"};
  mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(input, wrong); }),
           "did you mean 'patch_tokens'");
  CHECK_THROWS_AS(made->probe("no_such_probe", {}), Error);
}

TEST_CASE("dinotxt's text vectors are the patches' half unless the class token's is asked for") {
  const at::Tensor ids = expected("text/token_ids");
  const auto texts = made_backbone(kTexts + "}");
  CHECK(texts->dim() == 32);
  CHECK(close(texts->encode_token_ids(ids), expected("text/patch_half")));
  CHECK(close(texts->probe("text_features", {{"ids", ids}}), expected("text/features")));
  CHECK(close(made_backbone(kTexts + ", text_part: class}")->encode_token_ids(ids),
              expected("text/features").narrow(1, 0, 32)));
  mentions(refusal_of(ErrorKind::data, [&] { (void)texts->probe("text_features", {}); }), "'ids'");
  mentions(refused(ErrorKind::config, kTexts + ", text_part: both}"), "text_part");
}

TEST_CASE("the fingerprint of dinotxt's texts changes with what changes their vectors alone") {
  const std::string plain = made_backbone(kWhole + "}")->text_fingerprint();
  CHECK(plain.starts_with("dinotxt_text:"));
  const auto same = [&](const std::string& options) {
    return made_backbone(kWhole + options + "}")->text_fingerprint() == plain;
  };
  CHECK_FALSE(same(", text_part: class"));
  CHECK_FALSE(same(", text_clean: none"));
  CHECK_FALSE(same(", context: 20"));
  CHECK(same(", truncate: false"));
  CHECK(same(", vision_head: false"));
  CHECK(made_backbone(kTexts + "}")->text_fingerprint() == plain);
  CHECK(made_backbone("{plugin: dinotxt, text_heads: 8, text_weights: " + kCase + "text_encoder.pth}")
            ->text_fingerprint() != plain);
}

TEST_CASE("dinotxt with a vocabulary encodes texts as it encodes their ids, and cuts or refuses long ones") {
  const TestFolder folder;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const std::string encoder = changed_copy(
      folder / "text.safetensors", kCase + "text_encoder.pth", [&](std::string& name, at::Tensor& tensor) {
        if (name == "backbone.token_embedding.weight") {
          tensor = at::randn({515, tensor.size(1)}, generator, at::TensorOptions(at::kFloat));
        }
      });
  const std::string options = "{plugin: dinotxt, text_heads: 5, text_weights: " + encoder +
                              ", vocabulary: " + write_vocabulary(folder.path()).string();
  const auto texts = made_backbone(options + "}");
  // The vocabulary numbers the bytes in their own order: "b" is 98, and 354 at a word's end.
  const at::Tensor ids = at::tensor({513, 512, 514, 0, 513, 354, 512, 514}, at::kLong).view({2, 4});
  CHECK(close(texts->encode_text(std::vector<std::string>{"ab", "b ab"}), texts->encode_token_ids(ids)));
  const std::vector<std::string> too_long = {"b b b"};
  const at::Tensor cut = at::tensor({513, 354, 354, 514}, at::kLong).view({1, 4});
  CHECK(close(made_backbone(options + ", context: 4}")->encode_text(too_long), texts->encode_token_ids(cut)));
  mentions(
      refusal_of(
          ErrorKind::data,
          [&] { (void)made_backbone(options + ", context: 4, truncate: false}")->encode_text(too_long); }),
      "b b b");
  mentions(refused(ErrorKind::config, kTexts + ", context: 78}"), "longer than the text tower's 77");
}

TEST_CASE("dinotxt's results do not depend on the batch, even one that its head takes in parts") {
  const auto made = made_backbone(kImages + kHead + "}");
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  // One patch and five other tokens an image: the head takes some 3900 of them together.
  const at::Tensor many = at::randn({4000, 3, 14, 14}, generator, at::TensorOptions(at::kFloat));
  const ImageFeatures together = made->encode(many);
  CHECK(together.patches.sizes() == at::IntArrayRef({4000, 1, 1, 32}));
  for (const int64_t image : {int64_t{0}, int64_t{1}, int64_t{3999}}) {
    const ImageFeatures alone = made->encode(many.slice(0, image, image + 1));
    CHECK(at::allclose(alone.patches[0], together.patches[image], 1e-4, 1e-5));
    CHECK(at::allclose(alone.global[0], together.global[image], 1e-4, 1e-5));
    CHECK(at::allclose(alone.attention[0], together.attention[image], 1e-4, 1e-6));
  }
}

TEST_CASE("the vision head has as many heads as the image tower, unless told otherwise") {
  const at::Tensor input = expected("native/input");
  const at::Tensor usual = made_backbone(kImages + kHead + "}")->encode(input).patches;
  CHECK(at::equal(made_backbone(kImages + kHead + ", head_heads: 4}")->encode(input).patches, usual));
  CHECK_FALSE(close(made_backbone(kImages + kHead + ", head_heads: 2}")->encode(input).patches, usual));
  mentions(refused(ErrorKind::config, kImages + kHead + ", head_heads: 5}"),
           "into 5 heads; set `head_heads`");
}

TEST_CASE("what dinotxt lacks is named with the file that is expected and the option to set") {
  const std::string head = "dinov2_vitl14_reg4_dinotxt_tet1280d20h24l_vision_head.pth";
  const std::string encoder = "dinov2_vitl14_reg4_dinotxt_tet1280d20h24l_text_encoder.pth";
  const std::string nothing = refused(ErrorKind::config, "{plugin: dinotxt}");
  for (const std::string& part : {head, encoder, std::string("dinov2_vitl14_reg4_pretrain.pth")}) {
    mentions(nothing, part);
  }
  const std::string headless = refused(ErrorKind::config, kImages + "}");
  mentions(headless, "set `vision_head_weights` to " + head);
  mentions(headless, "`vision_head: false`");
  mentions(refused(ErrorKind::config, kTexts + kHead + "}"),
           "set `weights` to dinov2_vitl14_reg4_pretrain.pth");
  const std::vector<std::string> texts = {"a dog"};
  mentions(refusal_of(ErrorKind::config,
                      [&] { (void)made_backbone(kImages + ", vision_head: false}")->encode_text(texts); }),
           "set `text_weights` to " + encoder);
  mentions(refusal_of(ErrorKind::config, [&] { (void)made_backbone(kWhole + "}")->encode_text(texts); }),
           "set `vocabulary`");
  const auto blind = made_backbone(kTexts + "}");
  CHECK_FALSE(blind->capabilities().attention);
  CHECK_FALSE(blind->capabilities().global);
  mentions(refusal_of(ErrorKind::config,
                      [&] {
                        (void)blind->encode(at::zeros({1, 3, 28, 28}));
                      }),
           "set `weights` to dinov2_vitl14_reg4_pretrain.pth");
  mentions(refused(ErrorKind::io, kTexts + ", vocabulary: nowhere/vocab.json}"),
           "there is no such vocabulary");
}

TEST_CASE("a checkpoint of another family is recognised in each of dinotxt's three places") {
  const std::string clip = parity_case("clip/openai_state_dict") + "ViT-tiny.pth";
  const std::string as_weights = "{plugin: dinotxt, heads: 4, vision_head: false, weights: ";
  mentions(refused(ErrorKind::checkpoint, as_weights + clip + "}"),
           "but dinotxt's `weights` must be a DINOv2 (dinov2_vitl14_reg4_pretrain.pth)");
  mentions(refused(ErrorKind::checkpoint, as_weights + kCase + "vision_head.pth}"), "vision head");
  const std::string as_head = kImages + ", vision_head_weights: ";
  mentions(refused(ErrorKind::checkpoint, as_head + kCase + "text_encoder.pth}"), "text encoder");
  mentions(refused(ErrorKind::checkpoint, as_head + kCase + "dinov2_reg4.pth}"), "DINOv2");
  mentions(refused(ErrorKind::checkpoint, as_head + clip + "}"), "`vision_head_weights` must be DINO.txt's");
  const std::string as_texts = "{plugin: dinotxt, text_heads: 4, text_weights: ";
  mentions(refused(ErrorKind::checkpoint, as_texts + kCase + "vision_head.pth}"), "vision head");
  mentions(refused(ErrorKind::checkpoint, as_texts + clip + "}"), "`text_weights` must be DINO.txt's");
}

TEST_CASE("a DINO without LayerScale is no image tower for dinotxt") {
  const TestFolder folder;
  const std::string dino =
      changed_copy(folder / "dino.safetensors", parity_case("dino/dinov2_noreg") + "weights.pth",
                   [](std::string& name, at::Tensor&) {
                     const bool dropped = name.find(".ls") != std::string::npos || name == "mask_token";
                     name = dropped ? std::string() : name;
                   });
  mentions(refused(ErrorKind::checkpoint,
                   "{plugin: dinotxt, heads: 4, vision_head: false, weights: " + dino + "}"),
           "must be a DINOv2 (dinov2_vitl14_reg4_pretrain.pth)");
}

TEST_CASE("parts of dinotxt that belong to models of different widths are refused") {
  const TestFolder folder;
  const auto narrow = [](std::string&, at::Tensor& tensor) { tensor = half_as_wide(tensor, 32); };
  const std::string head = changed_copy(folder / "head.safetensors", kCase + "vision_head.pth", narrow);
  mentions(refused(ErrorKind::config, kImages + ", vision_head_weights: " + head + "}"),
           "reads 16 dimensions, but the image tower has 32");
  for (const int64_t dims : {int64_t{48}, int64_t{47}}) {
    const std::string encoder = changed_copy(
        folder / "text.safetensors", kCase + "text_encoder.pth", [&](std::string& name, at::Tensor& tensor) {
          tensor = name == "head.linear_projection.weight" ? tensor.slice(0, 0, dims) : tensor;
        });
    const std::string options = ", vision_head: false, text_heads: 5, text_weights: " + encoder + "}";
    if (dims % 2 == 0) {
      mentions(refused(ErrorKind::config, kImages + options),
               "two halves of 24 dimensions, but the image tower has 32");
    } else {
      mentions(refused(ErrorKind::checkpoint, kImages + options), "which have no two halves");
    }
  }
}

TEST_CASE("dinotxt reports missing and mis-shaped tensors by the names that the files have") {
  const TestFolder folder;
  const std::string head = changed_copy(
      folder / "head.safetensors", kCase + "vision_head.pth", [](std::string& name, at::Tensor& tensor) {
        tensor = name == "block_list.0.attn.qkv.weight" ? tensor.slice(0, 0, 64) : tensor;
        name = name == "block_list.1.mlp.w2.bias" ? std::string() : name;
      });
  const std::string of_head =
      refused(ErrorKind::checkpoint, kImages + ", vision_head_weights: " + head + "}");
  mentions(of_head, "block_list.1.mlp.w2.bias");
  mentions(of_head, "block_list.0.attn.qkv.weight");
  const std::string encoder = copy_without(folder / "text.safetensors", kCase + "text_encoder.pth",
                                           "backbone.blocks.1.feed_forward.fc1.weight");
  mentions(refused(ErrorKind::checkpoint, "{plugin: dinotxt, text_heads: 5, text_weights: " + encoder + "}"),
           "backbone.blocks.1.feed_forward.fc1.weight");
}

TEST_CASE("a vision head or text encoder that lost any tensor is reported, whichever tensor that is") {
  const TestFolder folder;
  for (const std::string lost : {"block_list.0.ls1.gamma", "block_list.1.ls2.gamma",
                                 "block_list.0.norm1.weight", "block_list.1.", "ln_final.weight"}) {
    CAPTURE(lost);
    const std::string head = copy_without(folder / "head.safetensors", kCase + "vision_head.pth", lost);
    mentions(refused(ErrorKind::checkpoint, kImages + ", vision_head_weights: " + head + "}"),
             "missing      " + lost);
  }
  for (const std::string lost : {"backbone.token_embedding.weight", "head.linear_projection.weight"}) {
    CAPTURE(lost);
    const std::string encoder = copy_without(folder / "text.safetensors", kCase + "text_encoder.pth", lost);
    mentions(
        refused(ErrorKind::checkpoint, "{plugin: dinotxt, text_heads: 5, text_weights: " + encoder + "}"),
        "missing      " + lost);
  }
}

TEST_CASE("dinotxt refuses heads and sizes that do not fit") {
  mentions(refused(ErrorKind::config, "{plugin: dinotxt, text_weights: " + kCase + "text_encoder.pth}"),
           "set `text_heads`");
  mentions(refused(ErrorKind::config, kImages + kHead + ", map_heads: 5}"), "map_heads");
  mentions(refused(ErrorKind::config, kImages + kHead + ", resolution: 60}"), "56 is the nearest one");
  const auto made = made_backbone(kImages + kHead + "}");
  CHECK(made->image_spec().resize_dim == 56);
  CHECK(made->image_spec().mean[0] == doctest::Approx(0.485));
  mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(at::zeros({1, 3, 30, 28})); }), "multiples");
}

TEST_CASE("a vision head over a DINOv2 without registers is used with a warning") {
  std::string said;
  const auto sink = set_log_sink([&](LogLevel, const std::string& line) { said += line + "\n"; });
  const auto made = made_backbone("{plugin: dinotxt, heads: 4, weights: " + parity_case("dino/dinov2_noreg") +
                                  "weights.pth" + kHead + "}");
  set_log_sink(sink);
  mentions(said, "has no register tokens");
  CHECK(made->encode(at::zeros({1, 3, 28, 28})).patches.isfinite().all().item<bool>());
}

}  // namespace patchioner
