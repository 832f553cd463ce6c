// The backbone `invite` through the host, on the golden cases' tiny CLIP of two blocks. Its numbers are
// compared by `verify`; here stands how they depend on the options and on the pixels, and what is refused.
#include <doctest/doctest.h>

#include "refusals.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"

namespace patchioner {
namespace {

const std::string kWeights = "weights: " + parity_case("clip/openai_state_dict") + "ViT-tiny.pth";

std::shared_ptr<Backbone> invite(const std::string& options) {
  return made_backbone("{plugin: invite, " + kWeights + options + "}");
}

at::Tensor input() {
  return expected_tensor("clip/invite", "input");  // [3,3,20,20], 5 x 5 patches of 4 pixels
}

std::string refused(ErrorKind kind, const std::string& yaml) {
  return refusal_of(kind, [&] { (void)made_backbone(yaml); });
}

}  // namespace

TEST_SUITE("invite") {
  TEST_CASE("invite masks one block unless told otherwise, and hands out class token and patches") {
    const at::Tensor tokens = expected_tensor("clip/invite", "k1_tokens");  // [3,26,32]
    const ImageFeatures features = invite("")->encode(input());
    CHECK(at::allclose(features.global, tokens.select(1, 0), 2e-4, 2e-4));
    CHECK(at::allclose(features.patches.flatten(1, 2), tokens.slice(1, 1), 2e-4, 2e-4));
    CHECK(features.patches.sizes() == at::IntArrayRef({3, 5, 5, 32}));
    CHECK(at::allclose(features.attention.sum({1, 2}), at::ones({3})));
    CHECK_FALSE(
        at::allclose(features.global, expected_tensor("clip/invite", "k2_tokens").select(1, 0), 1e-2, 1e-2));
  }

  TEST_CASE("without masked blocks invite is CLIP with plain bicubic positions") {
    const auto clip =
        made_backbone("{plugin: clip, pos_resample: bicubic, resolution: 36, " + kWeights + "}");
    const at::Tensor large = expected_tensor("clip/invite", "big36_input");
    const at::Tensor patches = clip->encode(large).patches;
    for (const char* blocks : {"0", "-1"}) {
      CAPTURE(blocks);
      const auto plain = invite(std::string(", resolution: 36, mask_last_layers: ") + blocks);
      CHECK(at::equal(plain->encode(large).patches, patches));
    }
    CHECK_FALSE(at::allclose(invite(", resolution: 36")->encode(large).patches, patches, 1e-3, 1e-3));
  }

  TEST_CASE("with every block masked a patch knows only its own pixels, and the class token none") {
    const auto isolated = invite(", mask_last_layers: 2");
    at::Tensor changed = input().clone();
    changed.slice(2, 4, 8).slice(3, 12, 16).add_(1.0);  // the patch in row 1, column 3
    const ImageFeatures before = isolated->encode(input());
    const ImageFeatures after = isolated->encode(changed);
    const at::Tensor moved = (after.patches - before.patches).abs().amax({0, 3});  // [5,5]
    CHECK(moved[1][3].item<float>() > 1e-3);
    CHECK((moved > 1e-6).sum().item<int64_t>() == 1);
    CHECK(at::allclose(after.global, before.global, 1e-6, 1e-6));
    const at::Tensor mixed =
        (invite("")->encode(changed).patches - invite("")->encode(input()).patches).abs();
    CHECK((mixed.amax({0, 3}) > 1e-6).sum().item<int64_t>() == 25);
  }

  TEST_CASE("an image's features do not depend on the batch, nor the network on a square input") {
    const auto made = invite("");
    CHECK(batch_equals_singles(*made, at::cat({input(), input().flip(3)})));
    const at::Tensor wide = input().slice(2, 0, 12);  // [3,3,12,20]
    const ImageFeatures features = made->encode(wide);
    CHECK(features.patches.sizes() == at::IntArrayRef({3, 3, 5, 32}));
    CHECK(features.attention.sizes() == at::IntArrayRef({3, 3, 5}));
    // What no whole patch covers is cut off at the right and the bottom.
    CHECK(at::equal(made->encode(at::pad(wide, {0, 3, 0, 2})).patches, features.patches));
  }

  TEST_CASE("the options of positions, queries and maps have their effect") {
    const at::Tensor large = expected_tensor("clip/invite", "big36_input");
    const auto patches = [&](const std::string& options) {
      return invite(", resolution: 36" + options)->encode(large).patches;
    };
    CHECK(at::allclose(patches(""),
                       expected_tensor("clip/invite", "big36_k1_tokens").slice(1, 1).view({3, 9, 9, 32}),
                       2e-4, 2e-4));
    CHECK_FALSE(at::allclose(patches(""), patches(", pos_resample: bicubic_aa"), 1e-4, 1e-4));
    // A token that looks at itself alone has no use for queries and keys; its value is the third letter.
    CHECK(at::equal(patches(""), patches(", attention_type: kkv")));
    CHECK_FALSE(at::allclose(patches(""), patches(", attention_type: qkk"), 1e-3, 1e-3));
    CHECK_FALSE(at::allclose(invite("")->encode(input()).attention,
                             invite(", map_reduce: probs")->encode(input()).attention, 1e-5, 1e-6));
    CHECK(invite(", resolution: 36")->image_spec().rows() == 9);
  }

  TEST_CASE("invite's text side is CLIP's, so that memory banks of either serve both") {
    const auto made = invite("");
    CHECK(made->capabilities().text);
    CHECK(at::allclose(made->encode_token_ids(expected_tensor("clip/openai_state_dict", "text_ids")),
                       expected_tensor("clip/openai_state_dict", "text_embed"), 2e-4, 2e-4));
    CHECK(made->text_fingerprint() == made_backbone("{plugin: clip, " + kWeights + "}")->text_fingerprint());
    CHECK(made->text_fingerprint() != invite(", round_weights_fp16: true")->text_fingerprint());
  }

  TEST_CASE("invite refuses more masked blocks than there are") {
    const std::string message =
        refused(ErrorKind::config, "{plugin: invite, mask_last_layers: 3, " + kWeights + "}");
    CHECK(contains(message, "mask_last_layers is 3"));
    CHECK(contains(message, "only 2 blocks"));
  }

  TEST_CASE("invite refuses unknown options, other models and inputs that it cannot take") {
    CHECK(contains(refused(ErrorKind::config, "{plugin: invite, mask_last_layer: 1, " + kWeights + "}"),
                   "did you mean 'mask_last_layers'"));
    CHECK(contains(refused(ErrorKind::config, "{plugin: invite}"), "weights' is required"));
    CHECK(contains(refused(ErrorKind::config, "{plugin: invite, pos_resample: nearest, " + kWeights + "}"),
                   "pos_resample"));
    CHECK(contains(refused(ErrorKind::config, "{plugin: invite, resolution: 3, " + kWeights + "}"),
                   "smaller than one patch"));
    CHECK(contains(refused(ErrorKind::checkpoint,
                           "{plugin: invite, weights: " + parity_case("dino/dinov2_reg4") + "weights.pth}"),
                   "CLIP with a vision transformer"));
    CHECK(contains(refusal_of(ErrorKind::data,
                              [] {
                                (void)invite("")->encode(at::zeros({1, 4, 20, 20}));
                              }),
                   "[1,4,20,20]"));
    CHECK(contains(refusal_of(ErrorKind::data,
                              [] {
                                (void)invite("")->encode(at::zeros({1, 3, 20, 2}));
                              }),
                   "smaller than one patch"));
  }

  TEST_CASE("invite with one tower names the file that it needs for the other") {
    const auto image = made_backbone("{plugin: invite, weights: " + parity_case("clip/timm_safetensors") +
                                     "model.safetensors}");
    CHECK_FALSE(image->capabilities().text);
    const std::string no_text = refusal_of(ErrorKind::checkpoint, [&] {
      (void)image->encode_token_ids(at::zeros({1, 2}, at::kLong));
    });
    CHECK(contains(no_text, "no text tower"));
    CHECK(contains(no_text, "ViT-B-16.pt, as `weights`"));
    const TestFolder folder;
    const StateDict whole = StateDict::open(parity_case("clip/openai_state_dict") + "ViT-tiny.pth");
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const std::string& name : whole.names()) {
      if (!name.starts_with("visual.")) {
        tensors.emplace_back(name, whole.tensor(name));
      }
    }
    write_safetensors(folder / "text.safetensors", tensors);
    const auto text = made_backbone(
        "{plugin: invite, mask_last_layers: 9, weights: " + (folder / "text.safetensors").string() + "}");
    const std::string no_image = refusal_of(ErrorKind::checkpoint, [&] {
      (void)text->encode(at::zeros({1, 3, 8, 8}));
    });
    CHECK(contains(no_image, "no image tower"));
    CHECK(contains(no_image, "ViT-B-16.pt, as `weights`"));
  }
}

}  // namespace patchioner
