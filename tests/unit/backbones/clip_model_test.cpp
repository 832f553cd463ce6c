#include "backbones/clip_model.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <patchioner/error.hpp>

#include "test_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

constexpr int64_t kWidth = 8;
constexpr int64_t kTextWidth = 6;
constexpr int64_t kDim = 5;

void add_block(Tensors& tensors, const std::string& prefix, int64_t width,
               const std::function<at::Tensor(std::vector<int64_t>)>& make) {
  tensors[prefix + "ln_1.weight"] = make({width});
  tensors[prefix + "ln_1.bias"] = make({width});
  tensors[prefix + "ln_2.weight"] = make({width});
  tensors[prefix + "ln_2.bias"] = make({width});
  tensors[prefix + "attn.in_proj_weight"] = make({3 * width, width});
  tensors[prefix + "attn.in_proj_bias"] = make({3 * width});
  tensors[prefix + "attn.out_proj.weight"] = make({width, width});
  tensors[prefix + "attn.out_proj.bias"] = make({width});
  tensors[prefix + "mlp.c_fc.weight"] = make({4 * width, width});
  tensors[prefix + "mlp.c_fc.bias"] = make({4 * width});
  tensors[prefix + "mlp.c_proj.weight"] = make({width, 4 * width});
  tensors[prefix + "mlp.c_proj.bias"] = make({width});
}

/// A CLIP under OpenAI's names: two image blocks of width 8, one text block of width 6, patches of 2 on a 3 x
/// 3 grid.
Tensors openai_tensors() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(17);
  const auto make = [&generator](const std::vector<int64_t>& shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kFloat)) * 0.5;
  };
  Tensors tensors;
  tensors["visual.class_embedding"] = make({kWidth});
  tensors["visual.positional_embedding"] = make({10, kWidth});
  tensors["visual.conv1.weight"] = make({kWidth, 3, 2, 2});
  for (const char* name : {"visual.ln_pre", "visual.ln_post"}) {
    tensors[name + std::string(".weight")] = make({kWidth});
    tensors[name + std::string(".bias")] = make({kWidth});
  }
  tensors["visual.proj"] = make({kWidth, kDim});
  add_block(tensors, "visual.transformer.resblocks.0.", kWidth, make);
  add_block(tensors, "visual.transformer.resblocks.1.", kWidth, make);
  add_block(tensors, "transformer.resblocks.0.", kTextWidth, make);
  tensors["token_embedding.weight"] = make({20, kTextWidth});
  tensors["positional_embedding"] = make({7, kTextWidth});
  tensors["ln_final.weight"] = make({kTextWidth});
  tensors["ln_final.bias"] = make({kTextWidth});
  tensors["text_projection"] = make({kTextWidth, kDim});
  return tensors;
}

/// Replaces `from` in `text` by `to`, where it occurs.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t place = text.find(from);
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

/// The same weights as transformers writes them.
Tensors hugging_face_tensors() {
  Tensors out;
  for (const auto& [name, tensor] : openai_tensors()) {
    const bool image = name.starts_with("visual.");
    if (name == "visual.proj" || name == "text_projection") {
      out[image ? "visual_projection.weight" : "text_projection.weight"] = tensor.t().contiguous();
      continue;
    }
    std::string other = with(name, image ? "visual.transformer.resblocks." : "transformer.resblocks.",
                             image ? "vision_model.encoder.layers." : "text_model.encoder.layers.");
    other = with(with(with(with(other, "ln_1", "layer_norm1"), "ln_2", "layer_norm2"), "mlp.c_fc", "mlp.fc1"),
                 "mlp.c_proj", "mlp.fc2");
    if (other.find("attn.in_proj_") != std::string::npos) {
      const std::vector<at::Tensor> parts = tensor.chunk(3);
      for (size_t i = 0; i < 3; ++i) {
        out[with(other, "attn.in_proj_", std::string("self_attn.") + "qkv"[i] + "_proj.")] = parts[i];
      }
      continue;
    }
    other = with(other, "attn.out_proj", "self_attn.out_proj");
    other = with(other, "visual.class_embedding", "vision_model.embeddings.class_embedding");
    other = with(other, "visual.positional_embedding", "vision_model.embeddings.position_embedding.weight");
    other = with(other, "visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight");
    other = with(with(other, "visual.ln_pre", "vision_model.pre_layrnorm"), "visual.ln_post",
                 "vision_model.post_layernorm");
    other = with(other, "token_embedding.weight", "text_model.embeddings.token_embedding.weight");
    other = other == "positional_embedding" ? "text_model.embeddings.position_embedding.weight" : other;
    out[with(other, "ln_final", "text_model.final_layer_norm")] = tensor;
  }
  out["vision_model.embeddings.position_ids"] = at::arange(10);
  return out;
}

/// The image tower as timm writes it, with a bias in its head.
Tensors timm_tensors() {
  Tensors out;
  for (const auto& [name, tensor] : openai_tensors()) {
    if (!name.starts_with("visual.")) {
      continue;
    }
    std::string other = with(name, "visual.transformer.resblocks.", "blocks.");
    other = with(with(with(with(other, "ln_1", "norm1"), "ln_2", "norm2"), "mlp.c_fc", "mlp.fc1"),
                 "mlp.c_proj", "mlp.fc2");
    other = with(with(other, "attn.in_proj_", "attn.qkv."), "attn.out_proj", "attn.proj");
    other = with(with(other, "visual.ln_pre", "norm_pre"), "visual.ln_post", "norm");
    other = with(other, "visual.conv1.weight", "patch_embed.proj.weight");
    if (other == "visual.class_embedding") {
      out["cls_token"] = tensor.view({1, 1, kWidth});
    } else if (other == "visual.positional_embedding") {
      out["pos_embed"] = tensor.unsqueeze(0);
    } else if (other == "visual.proj") {
      out["head.weight"] = tensor.t().contiguous();
      out["head.bias"] = at::full({kDim}, 3.0F);
    } else {
      out[other] = tensor;
    }
  }
  return out;
}

ClipLoadOptions two_heads() {
  ClipLoadOptions options;
  options.choices.activation = "gelu";
  options.choices.heads = 2;
  options.choices.text_heads = 3;
  return options;
}

at::Tensor image_tokens(const ClipModel& model) {
  const at::NoGradGuard no_gradients;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  const at::Tensor pixels = at::randn({2, 3, 6, 6}, generator, at::TensorOptions(at::kFloat));
  return model.image->project(model.image->normalise(model.image->forward(pixels).tokens_raw));
}

at::Tensor text_vectors(const ClipModel& model) {
  const at::NoGradGuard no_gradients;
  return model.text->encode(at::tensor({18, 3, 19, 0, 18, 1, 2, 19}, at::kLong).view({2, 4}));
}

ClipModel load(Tensors tensors, const ClipLoadOptions& options) {
  return load_clip(ClipCheckpoint(StateDict::from_tensors(std::move(tensors))), options);
}

TEST_CASE("sizes are read off the tensors") {
  const ClipModel model = load(openai_tensors(), two_heads());
  CHECK(model.image.config().layers == 2);
  CHECK(model.image.config().patch_size == 2);
  CHECK(model.image.config().position_rows == 10);
  CHECK(model.image.config().projection == kDim);
  CHECK(model.text.config().layers == 1);
  CHECK(model.text.config().context == 7);
  CHECK(model.text.config().vocabulary == 20);
}

TEST_CASE("Hugging Face names give the towers that OpenAI's names give") {
  const ClipModel openai = load(openai_tensors(), two_heads());
  const ClipModel other = load(hugging_face_tensors(), two_heads());
  CHECK(at::allclose(image_tokens(other), image_tokens(openai), 1e-5, 1e-5));
  CHECK(at::allclose(text_vectors(other), text_vectors(openai), 1e-5, 1e-5));
}

TEST_CASE("timm names give the image tower, and the head's bias is added") {
  const ClipModel openai = load(openai_tensors(), two_heads());
  const ClipModel other = load(timm_tensors(), two_heads());
  CHECK_FALSE(other.text);
  CHECK(at::allclose(image_tokens(other), image_tokens(openai) + 3, 1e-5, 1e-5));
}

TEST_CASE("a text tower of its own class is found under its prefix") {
  Tensors tensors;
  for (const auto& [name, tensor] : openai_tensors()) {
    tensors[name.starts_with("visual.") ? name : "text." + name] = tensor;
  }
  CHECK(at::allclose(text_vectors(load(tensors, two_heads())),
                     text_vectors(load(openai_tensors(), two_heads()))));
}

TEST_CASE("a checkpoint that lacks a tower serves the other one") {
  Tensors images;
  Tensors texts;
  for (const auto& [name, tensor] : openai_tensors()) {
    (name.starts_with("visual.") ? images : texts)[name] = tensor;
  }
  CHECK_FALSE(load(images, two_heads()).text);
  const ClipModel text = load(texts, two_heads());
  CHECK_FALSE(text.image);
  CHECK(text_vectors(text).size(1) == kDim);
  ClipLoadOptions only_text = two_heads();
  only_text.image = false;
  CHECK_FALSE(load(openai_tensors(), only_text).image);
}

TEST_CASE("missing tensors are reported under the file's own names, all at once") {
  Tensors tensors = hugging_face_tensors();
  tensors.erase("vision_model.encoder.layers.1.self_attn.k_proj.weight");
  tensors["text_projection.weight"] = at::zeros({kDim, kTextWidth + 1});
  try {
    load(tensors, two_heads());
    FAIL("a damaged checkpoint was accepted");
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(message.find("vision_model.encoder.layers.1.self_attn.k_proj.weight [8,8]") != std::string::npos);
    CHECK(message.find("text_projection.weight") != std::string::npos);
    CHECK(message.find("Hugging Face") != std::string::npos);
  }
}

TEST_CASE("a tower that lost a tensor is incomplete, not absent, whichever tensor that is") {
  const std::vector<std::pair<Tensors, std::vector<std::string>>> files = {
      {openai_tensors(),
       {"visual.conv1.weight", "visual.class_embedding", "visual.ln_pre.weight", "visual.proj",
        "token_embedding.weight", "ln_final.weight", "text_projection"}},
      {hugging_face_tensors(),
       {"vision_model.embeddings.patch_embedding.weight", "text_model.embeddings.token_embedding.weight",
        "text_model.final_layer_norm.weight"}},
      {timm_tensors(), {"cls_token", "norm_pre.weight"}},
  };
  for (const auto& [whole, names] : files) {
    for (const std::string& name : names) {
      CAPTURE(name);
      Tensors damaged = whole;
      REQUIRE(damaged.erase(name) == 1);
      CHECK_THROWS_WITH_AS(load(damaged, two_heads()), doctest::Contains(("missing      " + name).c_str()),
                           Error);
      ClipLoadOptions openai;  // whose head counts are guessed from widths
      openai.choices.format = "openai";
      openai.choices.heads = 2;
      openai.choices.text_heads = 3;
      if (whole.contains("visual.proj")) {
        CHECK_THROWS_WITH_AS(load(damaged, openai), doctest::Contains(("missing      " + name).c_str()),
                             Error);
      }
    }
  }
  Tensors text = openai_tensors();
  std::erase_if(text, [](const auto& entry) { return entry.first.starts_with("visual."); });
  text.erase("token_embedding.weight");
  CHECK_THROWS_WITH_AS(load(text, two_heads()), doctest::Contains("missing      token_embedding.weight"),
                       Error);
}

TEST_CASE("heads that do not fit a tower's width are refused with the file and the option to set") {
  ClipLoadOptions options = two_heads();
  options.choices.option_prefix = "clip_";
  options.choices.heads = 3;
  CHECK_THROWS_WITH_AS(load(openai_tensors(), options),
                       doctest::Contains("a width of 8 cannot be cut into 3 heads; set `clip_heads`"), Error);
  options.choices.format = "openai";
  options.choices.heads = 2;
  options.choices.text_heads = 0;
  CHECK_THROWS_WITH_AS(
      load(openai_tensors(), options),
      doctest::Contains("no multiple of 64, so the head count cannot be guessed; set `clip_text_heads`"),
      Error);
}

TEST_CASE("a text tower from another file is that of its settings, and OpenAI's where nothing says them") {
  const std::string wanted = "`text_weights` must be a CLIP";
  ClipLoadOptions options = two_heads();
  options.choices.activation = "auto";
  const auto text_of = [&](Tensors tensors) {
    return load_text_tower(StateDict::from_tensors(std::move(tensors)), wanted, options).tower;
  };
  CHECK((text_of(openai_tensors()).config().block.activation == Activation::quick_gelu));
  CHECK_THROWS_WITH_AS(text_of(hugging_face_tensors()), doctest::Contains("config.json"), Error);
  options.choices.activation = "gelu";
  CHECK((text_of(hugging_face_tensors()).config().block.activation == Activation::gelu));
  CHECK_THROWS_WITH_AS(text_of(timm_tensors()),
                       doctest::Contains("holds no text tower, but `text_weights` must be a CLIP"), Error);
}

TEST_CASE("blocks that are not there are told before anything is built") {
  Tensors tensors = openai_tensors();
  tensors["transformer.resblocks.999999.ln_1.weight"] = at::zeros({kTextWidth});
  CHECK_THROWS_WITH_AS(
      load(tensors, two_heads()),
      doctest::Contains("blocks under transformer.resblocks. the last one is number 999999, but number 1"),
      Error);
}

TEST_CASE("rounding weights to half precision changes matrices, not norms or embeddings") {
  Tensors tensors = openai_tensors();
  Tensors rounded = tensors;
  for (auto& [name, tensor] : rounded) {
    if (name.find(".attn.") != std::string::npos || name.find(".mlp.") != std::string::npos ||
        name == "visual.conv1.weight" || name == "visual.proj" || name == "text_projection") {
      tensor = tensor.to(at::kHalf).to(at::kFloat);
    }
  }
  ClipLoadOptions options = two_heads();
  const ClipModel expected = load(rounded, options);
  options.round_weights_fp16 = true;
  const ClipModel ours = load(tensors, options);
  CHECK(at::equal(image_tokens(ours), image_tokens(expected)));
  CHECK(at::equal(text_vectors(ours), text_vectors(expected)));
}

TEST_CASE("other architectures are refused by name") {
  const auto refused = [](const Tensors& tensors, const char* words) {
    CHECK_THROWS_WITH_AS(ClipCheckpoint(StateDict::from_tensors(tensors)), doctest::Contains(words), Error);
  };
  Tensors tensors = openai_tensors();
  tensors["visual.layer1.0.conv1.weight"] = at::zeros({1});
  refused(tensors, "ResNet");
  tensors = openai_tensors();
  std::erase_if(tensors, [](const auto& entry) { return entry.first.starts_with("visual.ln_pre."); });
  refused(tensors, "no norm before the blocks (visual.ln_pre)");
  refused({{"cls_token", at::zeros({1, 1, 8})}, {"blocks.0.norm1.weight", at::zeros({8})}},
          "a CLIP with a vision transformer is wanted here");
}

TEST_CASE("OpenAI's own files imply QuickGELU and heads of 64, others must say so") {
  Tensors tensors = {{"visual.class_embedding", at::zeros({128})},
                     {"ln_final.weight", at::zeros({192})},
                     {"token_embedding.weight", at::zeros({3, 192})}};
  CHECK_FALSE(
      find_clip_settings(ClipCheckpoint(StateDict::from_tensors(tensors)), {}).image_heads.has_value());
  ClipChoices choices;
  choices.format = "openai";
  const ClipSettings said = find_clip_settings(ClipCheckpoint(StateDict::from_tensors(tensors)), choices);
  CHECK(said.image_heads == 2);
  CHECK(said.text_heads == 3);
  CHECK((said.image_activation == Activation::quick_gelu));
  tensors["input_resolution"] = at::scalar_tensor(224, at::kLong);
  const ClipSettings seen = find_clip_settings(ClipCheckpoint(StateDict::from_tensors(tensors)), {});
  CHECK(seen.image_heads == 2);
  CHECK((seen.text_activation == Activation::quick_gelu));
  CHECK_THROWS_WITH_AS(load(openai_tensors(), {}), doctest::Contains("format: openai"), Error);
  choices.format = "hugging_face";
  CHECK_THROWS_WITH_AS(find_clip_settings(ClipCheckpoint(StateDict::from_tensors(tensors)), choices),
                       doctest::Contains("format is hugging_face"), Error);
}

TEST_CASE("an open_clip configuration gives heads by head width, erf GELU and its normalisation") {
  const TestFolder folder;
  const fs::path file = folder.write("open_clip_config.json", R"({"model_cfg": {"embed_dim": 1024,
    "vision_cfg": {"image_size": 224, "layers": 32, "width": 1280, "head_width": 80, "patch_size": 14},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 1024, "heads": 16, "layers": 24}},
    "preprocess_cfg": {"mean": [0.5, 0.25, 0.125], "std": [1, 2, 3]}})");
  const ClipSettings settings = read_clip_settings(file);
  CHECK(settings.image_heads == 16);
  CHECK(settings.text_heads == 16);
  CHECK((settings.image_activation == Activation::gelu));
  CHECK(settings.image_size == 224);
  REQUIRE(settings.mean.has_value());
  CHECK((*settings.mean)[2] == 0.125F);
  const ClipSettings quick = read_clip_settings(
      folder.write("q.json", R"({"quick_gelu": true, "vision_cfg": {"width": 768}, "text_cfg": {}})"));
  CHECK((quick.image_activation == Activation::quick_gelu));
  CHECK(quick.image_heads == 12);
  CHECK(quick.text_heads == 8);
}

TEST_CASE("a transformers configuration falls back to ViT-B/32's values and names the end id") {
  const TestFolder folder;
  const ClipSettings defaults = read_clip_settings(folder.write("a.json", R"({"model_type": "clip"})"));
  CHECK(defaults.image_heads == 12);
  CHECK(defaults.text_heads == 8);
  CHECK((defaults.text_activation == Activation::quick_gelu));
  CHECK_FALSE(defaults.end_id.has_value());
  const ClipSettings given = read_clip_settings(folder.write(
      "b.json",
      R"({"vision_config": {"num_attention_heads": 16, "hidden_act": "gelu", "layer_norm_eps": 1e-6},
                    "text_config": {"eos_token_id": 49407, "hidden_act": "gelu"}})"));
  CHECK(given.image_heads == 16);
  CHECK((given.image_activation == Activation::gelu));
  CHECK(given.image_epsilon == 1e-6);
  CHECK(given.end_id == 49407);
}

TEST_CASE("a timm configuration of OpenAI's weights means QuickGELU") {
  const TestFolder folder;
  const ClipSettings openai = read_clip_settings(folder.write(
      "a.json",
      R"({"architecture": "vit_base_patch16_clip_224", "pretrained_cfg": {"tag": "openai"}, "model_args": {"num_heads": 2}})"));
  CHECK((openai.image_activation == Activation::quick_gelu));
  CHECK(openai.image_heads == 2);
  const ClipSettings laion = read_clip_settings(folder.write(
      "b.json", R"({"architecture": "vit_huge_patch14_clip_224", "pretrained_cfg": {"tag": "laion2b"}})"));
  CHECK((laion.image_activation == Activation::gelu));
  CHECK(laion.image_heads == 16);
}

TEST_CASE("configurations of other architectures and damaged ones are refused") {
  const TestFolder folder;
  const auto refused = [&folder](const std::string& text, const char* words) {
    CHECK_THROWS_WITH_AS(read_clip_settings(folder.write("c.json", text)), doctest::Contains(words), Error);
  };
  refused(R"({"vision_cfg": {"timm_model_name": "convnext", "width": 64}})", "timm_model_name");
  refused(R"({"vision_cfg": {"width": 64, "attentional_pool": true}})", "attentional pooling");
  refused(R"({"vision_cfg": {"width": 64, "pool_type": "avg"}})", "pool_type");
  refused(R"({"vision_cfg": {"width": 64, "no_ln_pre": true}})", "no_ln_pre");
  refused(R"({"vision_cfg": {"width": 64}, "text_cfg": {"hf_model_name": "roberta"}})", "hf_model_name");
  refused(R"({"vision_cfg": {"width": "wide"}})", "c.json");
  refused(R"({"vision_cfg": {"width": 64, "head_width": 0}})", "c.json: head_width is 0");
  refused(R"({"vision_config": {"hidden_act": "swish2"}})", "swish2");
  refused(R"({"model_type": null})", "c.json: no configuration of a CLIP");
  refused(R"({"model_type": "bert"})", "no configuration of a CLIP");
  refused("{", "not a JSON document");
}

}  // namespace
}  // namespace patchioner
