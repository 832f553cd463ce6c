// Model files of the reference implementation, key by key (spec/01 sections 2, 2.1 and 5.2).
#include "config/import_reference.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "refusals.hpp"

using namespace patchioner;

namespace {

ImportedConfig import(const std::string& yaml) {
  return import_reference_config(parse_yaml(yaml, "model.yaml"));
}

std::string message_of(const std::string& yaml) {
  return refusal_of(ErrorKind::config, [&] { (void)import(yaml); });
}

bool has_note(const ImportedConfig& imported, const std::string& part) {
  return std::any_of(imported.notes.begin(), imported.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

std::string text_at(const ImportedConfig& imported, const std::string& path) {
  const Value* value = imported.document.find_path(path);
  return value == nullptr ? "absent" : value->as_text();
}

}  // namespace

TEST_CASE("Talk2DINO with memory becomes the four sections that compute the same") {
  const ImportedConfig imported = import(
      "decap_weights: weights/decap.pt\nprefix_size: 768\nlinear_talk2dino: False\nsupport_memory_size: "
      "591753\ndino_model: dinov2_vitb14_reg\n"
      "normalize: True\nkkv_attention: False\nprojection_type: /data/coco_train_karpathy.json\n");
  const Value expected = parse_yaml(R"(
backbone:
  plugin: talk2dino
  weights: "${env:PATCHIONER_WEIGHTS,weights}/dinov2_vitb14_reg4_pretrain.pth"
  projection_weights: "${env:PATCHIONER_WEIGHTS,weights}/vitb_mlp_infonce.pth"
  clip_text_weights: "${env:PATCHIONER_WEIGHTS,weights}/ViT-B-16.pt"
  vocabulary: "${env:PATCHIONER_WEIGHTS,weights}/bpe_simple_vocab_16e6.txt.gz"
  resolution: 518
aggregator: {plugin: uniform}
gap:
  plugin: memory
  bank: "${env:PATCHIONER_WEIGHTS,weights}/coco_captions_text_embeddings-B16-ViT-B.16-591753.h5"
  temperature: 0.01
  normalize_memory: false
  normalize: true
decoder:
  plugin: plain
  weights: weights/decap.pt
  vocabulary: "${env:PATCHIONER_WEIGHTS,weights}/bpe_simple_vocab_16e6.txt.gz"
  prefix_size: 768
)",
                                    "expected");
  CHECK_MESSAGE(imported.document == expected, write_yaml(imported.document));
  CHECK(has_note(imported, "kkv_attention is left out: the reference never reads it"));
}

TEST_CASE("CLIP by its timm name becomes OpenAI's file, and its bank has rows of unit length") {
  const ImportedConfig imported = import(
      "decap_weights: d.pt\nprefix_size: 512\nsupport_memory_size: 500000\ndino_model: "
      "vit_base_patch32_clip_224.openai\nnormalize: False\n"
      "resize_dim: 224\ncrop_dim: 224\nclip_model_name: ViT-B/32\nuse_talk2dino_project: "
      "False\nprojection_type: coco\n");
  CHECK(text_at(imported, "backbone.plugin") == "clip");
  CHECK(text_at(imported, "backbone.weights") == "${env:PATCHIONER_WEIGHTS,weights}/ViT-B-32.pt");
  CHECK(*imported.document.find_path("backbone.resolution") == Value(224));
  CHECK(text_at(imported, "gap.bank") ==
        "${env:PATCHIONER_WEIGHTS,weights}/clip-coco_captions_text_embeddings-ViT-B.32-500000.h5");
  CHECK(*imported.document.find_path("gap.normalize_memory") == Value(true));
  CHECK(*imported.document.find_path("gap.normalize") == Value(false));
}

TEST_CASE("the larger CLIP models are known by their names too") {
  const auto weights = [](const std::string& model) {
    return text_at(import("dino_model: " + model + "\nsupport_memory_size: 0\n"), "backbone.weights");
  };
  CHECK(weights("vit_large_patch14_clip_224.openai") == "${env:PATCHIONER_WEIGHTS,weights}/ViT-L-14.pt");
  CHECK(weights("vit_large_patch14_clip_336.openai") ==
        "${env:PATCHIONER_WEIGHTS,weights}/ViT-L-14-336px.pt");
  CHECK(weights("dinov2_vits14") == "${env:PATCHIONER_WEIGHTS,weights}/dinov2_vits14_pretrain.pth");
}

TEST_CASE("memory size 0 hands features on as they are, as the reference does, and says so") {
  const ImportedConfig imported =
      import("decap_weights: d.pt\ndino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\n");
  CHECK(*imported.document.find("gap") == parse_yaml("{plugin: none, normalize_input: false}", "x"));
  CHECK(has_note(imported, "gap.normalize_input is false"));
}

TEST_CASE("different sides for resizing and cropping are both written") {
  const ImportedConfig imported = import(
      "dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\nresize_dim: 600\ncrop_dim: "
      "518\nkeep_img_ratio: yes\n");
  CHECK(*imported.document.find_path("backbone.resize_dim") == Value(600));
  CHECK(*imported.document.find_path("backbone.crop_dim") == Value(518));
  CHECK(*imported.document.find_path("backbone.keep_img_ratio") == Value(true));
  CHECK(imported.document.find_path("backbone.resolution") == nullptr);
}

TEST_CASE("other projections change the names of projection and bank") {
  const ImportedConfig linear = import(
      "dino_model: dinov2_vitb14_reg\nsupport_memory_size: 10\nlinear_talk2dino: true\ntalk2dino_attn_type: "
      "kkv\n");
  CHECK(text_at(linear, "backbone.projection_weights") ==
        "${env:PATCHIONER_WEIGHTS,weights}/vitb_linear_infonce_kkv.pth");
  CHECK(text_at(linear, "gap.bank") ==
        "${env:PATCHIONER_WEIGHTS,weights}/coco_captions_text_embeddings_kkv-B16-linear-ViT-B.16-10.h5");
  const ImportedConfig named = import(
      "dino_model: dinov2_vitl14_reg\nsupport_memory_size: 10\nuse_talk2dino_project: "
      "vitl_mlp_infonce\nattention_type: kkv\n");
  CHECK(text_at(named, "backbone.projection_weights") ==
        "${env:PATCHIONER_WEIGHTS,weights}/vitl_mlp_infonce.pth");
  CHECK(text_at(named, "backbone.attention_type") == "kkv");
  const ImportedConfig without =
      import("proxyclip_clipmodel: ViT-B/16\nsupport_memory_size: 0\nattention_type: kkv\n");
  CHECK(without.document.find_path("backbone.attention_type") == nullptr);
  CHECK(has_note(without, "attention_type has no influence"));
}

TEST_CASE("models whose plugins come later still become sections with their names") {
  CHECK(text_at(import("dino_model: INViTE_B16\nsupport_memory_size: 0\ninvite_config: {name: ViT-B/16, jit: "
                       "false, extract_last_k_th_token: 2}\n"),
                "backbone.plugin") == "invite");
  const ImportedConfig alpha = import(
      "dino_model: AlphaClip\nsupport_memory_size: 5\nuse_talk2dino_project: False\nclip_model_name: "
      "ViT-B/16\n"
      "alphaclip_config: {patch_size: 16, name: ViT-B/16, alpha_vision_checkpoint: /w/a.pth, "
      "use_cls_for_localized_captions: True}\n");
  CHECK(text_at(alpha, "backbone.alpha_weights") == "/w/a.pth");
  CHECK(text_at(alpha, "backbone.region_feature") == "cls");
  CHECK(text_at(alpha, "aggregator.plugin") == "native");
  CHECK(has_note(alpha, "for the captions of its runs set backbone.alpha_weights=none"));
  const ImportedConfig region = import(
      "dino_model: regionclip\nsupport_memory_size: 500000\nuse_talk2dino_project: False\nregionclip_config: "
      "{checkpoint: /w/regionclip_rn50.pth, MODEL: {X: 1}}\n");
  CHECK(text_at(region, "gap.bank") ==
        "${env:PATCHIONER_WEIGHTS,weights}/"
        "regionclip-coco_captions_text_embeddings-regionclip-regionclip_rn50-ViT-B.32-500000.h5");
  CHECK(has_note(region, "regionclip_config.MODEL has no counterpart"));
  const ImportedConfig dense = import(
      "dino_model: INViTE_B16\nsupport_memory_size: 7\nuse_talk2dino_project: False\nclip_model_name: "
      "ViT-B/16\ndenseclip_config: seg_b16.yaml\n");
  CHECK(text_at(dense, "backbone.plugin") == "denseclip");
  CHECK(text_at(dense, "gap.bank") ==
        "${env:PATCHIONER_WEIGHTS,weights}/"
        "denseclip-coco_captions_text_embeddings-denseclip-seg_b16-ViT-B.16-7.h5");
  const ImportedConfig proxy = import(
      "proxyclip_clipmodel: ViT-B/16\nproxyclip_vfm: dino\nsupport_memory_size: 7\nuse_talk2dino_project: "
      "False\nresize_dim: 296\ncrop_dim: 296\n");
  CHECK(text_at(proxy, "backbone.proxy_weights") ==
        "${env:PATCHIONER_WEIGHTS,weights}/dino_vitbase8_pretrain.pth");
  CHECK(*proxy.document.find_path("gap.normalize_memory") == Value(false));
  CHECK(text_at(proxy, "backbone.clip_stats") == "imagenet");
  CHECK(text_at(proxy, "backbone.similarity_mean") == "batch");
  const ImportedConfig dinotxt = import(
      "dino_model: dinov2_vitl14_reg4_dinotxt_tet1280d20h24l\nsupport_memory_size: 5\nuse_talk2dino_project: "
      "false\n");
  CHECK(text_at(dinotxt, "backbone.plugin") == "dinotxt");
  CHECK(*dinotxt.document.find_path("backbone.vision_head") == Value(false));
  CHECK(text_at(dinotxt, "gap.bank") ==
        "${env:PATCHIONER_WEIGHTS,weights}/clip-coco_captions_text_embeddings-DINO.txt-5.h5");
  CHECK(text_at(dinotxt, "gap.columns") == "second_half");
}

TEST_CASE("a name with dinov2 or openai wins over the blocks of other models") {
  const auto plugin = [](const std::string& yaml) {
    return text_at(import("support_memory_size: 0\n" + yaml), "backbone.plugin");
  };
  CHECK(plugin("dino_model: dinov2_vitb14_reg\ninvite_config: {name: ViT-B/16}\n") == "talk2dino");
  CHECK(plugin("dino_model: vit_base_patch16_clip_224.openai\nuse_open_clip: true\n") == "clip");
  CHECK(plugin("dino_model: vit_base_patch16_clip_224.openai\nalphaclip_config: {name: ViT-B/16}\n") ==
        "clip");
  CHECK(plugin("dino_model: x\nalphaclip_config: {name: ViT-B/16}\ninvite_config: {name: ViT-B/16}\n") ==
        "invite");
  CHECK(plugin("proxyclip_clipmodel: ViT-B/16\ninvite_config: {name: ViT-B/16}\n") == "proxyclip");
  CHECK(has_note(import("support_memory_size: 0\ndino_model: dinov2_vitb14_reg\ninvite_config: {name: "
                        "ViT-B/16}\n"),
                 "invite_config has no counterpart and is left out"));
}

TEST_CASE("OpenCLIP has its official file names and the config that says how wide its heads are") {
  const ImportedConfig imported = import(
      "dino_model: ViT-H/14\nuse_open_clip: True\nsupport_memory_size: 0\nresize_dim: 224\ncrop_dim: 224\n");
  CHECK(text_at(imported, "backbone.weights") ==
        "${env:PATCHIONER_WEIGHTS,weights}/CLIP-ViT-H-14-laion2B-s32B-b79K/open_clip_model.safetensors");
  CHECK(text_at(imported, "backbone.config") ==
        "${env:PATCHIONER_WEIGHTS,weights}/CLIP-ViT-H-14-laion2B-s32B-b79K/open_clip_config.json");
}

TEST_CASE("ViECap and MeaCap become their decoders, without a memory in front") {
  const ImportedConfig imported = import(
      "dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\nuse_talk2dino_project: False\ndecap_weights: "
      "unused.pt\nviecap:\n  weight_path: /w/coco_prefix-0014.pt\n"
      "  project_length: 10\n  threshold: 0.4\n  using_hard_prompt: True\n  soft_prompt_first: True\n  "
      "using_greedy_search: True\n  text_prompt: None\n"
      "  meacap: {memory_caption_num: 5, memory_id: coco_B16_t2d, memory_base_path: /m/, parser_checkpoint: "
      "p}\n");
  CHECK(text_at(imported, "decoder.plugin") == "meacap");
  CHECK(text_at(imported, "decoder.weights") == "/w/coco_prefix-0014.pt");
  CHECK(text_at(imported, "decoder.layout") == "soft_first");
  CHECK(text_at(imported, "decoder.search.type") == "greedy");
  CHECK(*imported.document.find_path("decoder.entities.threshold") == Value(0.4));
  CHECK(*imported.document.find("gap") == parse_yaml("{plugin: none}", "x"));
}

TEST_CASE("evaluation flags choose the aggregator") {
  const auto aggregator = [](const std::string& flags) {
    return *import("dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\n" + flags)
                .document.find("aggregator");
  };
  CHECK(aggregator("caption_from: cls\n") == parse_yaml("{plugin: cls}", "x"));
  CHECK(aggregator("caption_from: avg_self_attn\n") == parse_yaml("{plugin: attention}", "x"));
  CHECK(aggregator("use_attention_weighting: true\n") == parse_yaml("{plugin: attention}", "x"));
  CHECK(aggregator("use_attn_map_for_bboxes: true\n") ==
        parse_yaml("{plugin: attention, attention_writeback: true}", "x"));
  CHECK(aggregator("use_gaussian_weighting: true\ngaussian_variance: 0.5\n") ==
        parse_yaml("{plugin: gaussian, variance: 0.5}", "x"));
  CHECK(aggregator("caption_bboxes_type: cls_capt\n") == parse_yaml("{plugin: crop}", "x"));
}

TEST_CASE("unknown keys are left out with a note, wrong ones are refused with their place") {
  CHECK(has_note(import("dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\nprefix_sise: 768\n"),
                 "'prefix_sise' is no key of the reference and is left out; did you mean 'prefix_size'?"));
  CHECK(has_note(import("dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\nclipcap: {a: 1}\n"),
                 "clipcap has no counterpart"));
  CHECK(message_of("dino_model: dinov2_vitb14_reg\nsupport_memory_size: many\n") ==
        "model.yaml:2:1: 'support_memory_size' must be an integer, found text");
  CHECK(message_of("dino_model: dinov2_vitb14_reg\nsupport_memory_size: 0\nnormalize: maybe\nviecap: 3\n")
            .starts_with("model.yaml:"));
  CHECK(message_of("plugin: memory\n")
            .find("this is no model file of the reference: 'dino_model' ('') names no backbone") !=
        std::string::npos);
  CHECK(message_of("[1]").find("it is list, not a map") != std::string::npos);
}

TEST_CASE("what was imported is a config that composes") {
  const std::string yaml = write_yaml(
      import("decap_weights: d.pt\nprefix_size: 32\nsupport_memory_size: 40\ndino_model: dinov2_vitb14_reg\n")
          .document);
  CHECK(parse_yaml(yaml, "again").at("backbone").at("weights").as_text() ==
        "${env:PATCHIONER_WEIGHTS,weights}/dinov2_vitb14_reg4_pretrain.pth");
}
