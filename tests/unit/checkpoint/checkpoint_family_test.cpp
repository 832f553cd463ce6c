// What a checkpoint is, told by names and shapes, and the sentence for one that was not wanted.
#include "checkpoint/checkpoint_family.hpp"

#include "refusals.hpp"

using namespace patchioner;

namespace {

using Family = CheckpointFamily;
using Tensors = std::map<std::string, at::Tensor>;

const std::string kCases = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/";

StateDict named(const std::vector<std::string>& names) {
  Tensors tensors;
  for (const std::string& name : names) {
    tensors[name] = at::zeros({1, 1});
  }
  return StateDict::from_tensors(tensors);
}

Family family_of(const std::vector<std::string>& names) {
  return identify(named(names)).family;
}

std::string words_of_file(const std::string& file) {
  return identify(StateDict::open(kCases + file)).words;
}

/// A vision transformer of the size of a published one, without its memory: all tensors are one row expanded.
StateDict sized(const std::string& convolution, std::vector<int64_t> shape, const std::string& blocks,
                const std::string& norm, int64_t layers, Tensors more) {
  more[convolution] = at::zeros({1, 1, 1, 1}).expand(shape);
  for (int64_t layer = 0; layer < layers; ++layer) {
    more[fmt::format("{}{}.{}", blocks, layer, norm)] = at::zeros({1});
  }
  return StateDict::from_tensors(std::move(more));
}

at::Tensor rows(int64_t count) {
  return at::zeros({1, 1}).expand({count, 1});
}

}  // namespace

TEST_CASE("checkpoints of the golden cases are told by their content") {
  CHECK(words_of_file("clip/openai_torchscript/ViT-T-3.pt") ==
        "an OpenAI CLIP with a vision transformer (1 block of width 128, patches of 3)");
  CHECK(words_of_file("clip/openai_state_dict/ViT-tiny.pth").starts_with("an OpenAI CLIP with a vision"));
  CHECK(words_of_file("clip/open_clip/open_clip_pytorch_model.bin")
            .starts_with("an OpenAI or open_clip CLIP with a vision transformer"));
  CHECK(words_of_file("clip/hf_safetensors/model.safetensors")
            .starts_with("a Hugging Face CLIP with a vision transformer"));
  CHECK(words_of_file("clip/timm_safetensors/model.safetensors").starts_with("a timm CLIP image tower"));
  CHECK(words_of_file("dino/dinov2_noreg/weights.pth").starts_with("an official DINOv2 ("));
  CHECK(words_of_file("dino/dinov2_hf/model.safetensors").starts_with("a Hugging Face DINOv2 ("));
  CHECK(words_of_file("dino/talk2dino_variants/relu2.pth").ends_with("2 hidden layers)"));
  CHECK(words_of_file("dino/talk2dino_variants/legacy.pth").ends_with("1 hidden layer)"));
  CHECK(words_of_file("pipeline/decap_forward/decoder.pt").starts_with("a DeCap decoder ("));
  CHECK(words_of_file("pipeline/memory_projection/bank.safetensors").starts_with("a memory bank ("));
}

TEST_CASE("published sizes have their names") {
  CHECK(identify(sized("visual.conv1.weight", {768, 3, 16, 16}, "visual.transformer.resblocks.",
                       "ln_1.weight", 12,
                       {{"visual.ln_pre.weight", rows(1)},
                        {"visual.positional_embedding", rows(197)},
                        {"input_resolution", at::zeros({})},
                        {"token_embedding.weight", rows(1)}}))
            .words == "an OpenAI CLIP with a vision transformer (ViT-B/16)");
  CHECK(
      identify(sized("visual.conv1.weight", {1024, 3, 14, 14}, "visual.transformer.resblocks.", "ln_1.weight",
                     24, {{"visual.ln_pre.weight", rows(1)}, {"visual.positional_embedding", rows(577)}}))
          .words == "an OpenAI or open_clip CLIP image tower (ViT-L/14@336)");
  CHECK(
      identify(
          sized("patch_embed.proj.weight", {768, 3, 14, 14}, "blocks.", "norm1.weight", 12,
                {{"cls_token", rows(1)}, {"mask_token", rows(1)}, {"register_tokens", at::zeros({1, 4, 1})}}))
          .words == "an official DINOv2 (ViT-B/14 with 4 registers)");
  CHECK(identify(sized("patch_embed.proj.weight", {768, 3, 8, 8}, "blocks.", "norm1.weight", 12,
                       {{"cls_token", rows(1)}}))
            .words == "a DINO (v1) or another plain vision transformer (ViT-B/8)");
  CHECK(identify(sized("embeddings.patch_embeddings.projection.weight", {384, 3, 8, 8}, "encoder.layer.",
                       "layernorm_before.weight", 12, {}))
            .words == "a Hugging Face vision transformer as of DINO (v1) (ViT-S/8)");
  CHECK(identify(
            sized("backbone.conv1.weight", {768, 3, 16, 16}, "backbone.transformer.resblocks.", "ln_1.weight",
                  12,
                  {{"text_encoder.ln_final.weight", rows(1)}, {"backbone.positional_embedding", rows(1601)}}))
            .words == "a DenseCLIP with a vision transformer (ViT-B/16@640)");
}

TEST_CASE("families whose names have something in common are kept apart") {
  CHECK(family_of({"visual.conv1.weight", "visual.ln_pre.weight", "visual.conv1_alpha.weight"}) ==
        Family::alphaclip);
  CHECK(family_of({"conv1.weight", "conv1_alpha.weight", "class_embedding"}) == Family::alphaclip);
  CHECK(family_of({"backbone.conv1.weight", "backbone.class_embedding", "text_encoder.ln_final.weight"}) ==
        Family::denseclip);
  CHECK(family_of({"backbone.layer1.0.conv1.weight", "backbone.attnpool.c_proj.weight",
                   "text_encoder.ln_final.weight"}) == Family::denseclip_resnet);
  CHECK(family_of({"backbone.layer1.0.conv1.weight", "backbone.attnpool.c_proj.weight",
                   "lang_encoder.ln_final.weight"}) == Family::regionclip);
  CHECK(family_of({"visual.layer1.0.conv1.weight", "visual.attnpool.c_proj.weight"}) == Family::clip_resnet);
  CHECK(family_of({"visual.trunk.cls_token", "text.ln_final.weight"}) == Family::clip_other);
  CHECK(family_of({"visual.conv1.weight", "visual.ln_pre.weight", "visual.attn_pool.q"}) ==
        Family::clip_other);
  CHECK(family_of({"visual.conv1.weight"}) == Family::clip_other);
  CHECK(family_of({"vision_model.embeddings.class_embedding", "text_model.a", "logit_bias"}) ==
        Family::clip_other);
  CHECK(family_of({"text_model.embeddings.token_embedding.weight"}) == Family::clip);
  CHECK(family_of({"backbone.token_embedding.weight", "head.linear_projection.weight"}) ==
        Family::dinotxt_text);
  CHECK(family_of({"block_list.0.norm1.weight", "ln_final.weight"}) == Family::dinotxt_head);
  CHECK(family_of({"teacher.backbone.patch_embed.proj.weight", "teacher.backbone.cls_token",
                   "teacher.backbone.blocks.0.0.norm1.weight", "teacher.backbone.blocks.0.0.ls1.gamma"}) ==
        Family::dinov2);
  CHECK(family_of({"patch_embed.proj.weight", "cls_token", "storage_tokens"}) == Family::dinov3);
  CHECK(family_of({"gpt.transformer.wte.weight", "clip_project.model.0.weight"}) == Family::clipcap_decoder);
  CHECK(family_of({"gpt.transformer.wte.weight", "mapping_network.a"}) == Family::viecap_decoder);
  CHECK(family_of({"wte.weight", "h.0.attn.c_attn.weight"}) == Family::gpt2);
  CHECK(family_of({"visual.conv1.weight", "visual.transformer.resblocks.0.attn.lora_A"}) == Family::lora);
  CHECK(family_of({"weight", "bias"}) == Family::unknown);
  CHECK(family_of({}) == Family::unknown);
}

TEST_CASE("a checkpoint of another family is refused in one sentence that says what reads it") {
  const StateDict projection = StateDict::open(kCases + "dino/talk2dino_variants/linear.pth");
  const std::string sentence = refusal_of(ErrorKind::checkpoint, [&] {
    require_family(projection, {Family::dinov2, Family::dino}, "`weights` must be a DINOv2");
  });
  CHECK(contains(sentence, "linear.pth (torch zip) is a Talk2DINO projection ("));
  CHECK(
      contains(sentence,
               "), but `weights` must be a DINOv2; the backbone talk2dino reads it as `projection_weights`"));
  CHECK(contains(refusal_of([] {
                   refuse_checkpoint(named({"logit_bias", "vision_model.a"}), "x is wanted");
                 }),
                 "x is wanted; no plugin here reads it"));
}

TEST_CASE("a checkpoint of a wanted or of no known family passes; an unknown one is refused with its names") {
  CHECK_NOTHROW(require_family(named({"linear_layer.weight"}), {Family::talk2dino}, "x"));
  CHECK_NOTHROW(require_family(named({"a"}), {Family::talk2dino}, "x"));
  const std::string sentence = refusal_of(ErrorKind::checkpoint, [] {
    refuse_checkpoint(named({"a", "b", "c", "d"}), "x is wanted");
  });
  CHECK(contains(sentence, "is of no model that is known here (it holds a, b, c ...), but x is wanted"));
  CHECK(contains(refusal_of([] { refuse_checkpoint(named({}), "x is wanted"); }), "it holds no tensors"));
}

TEST_CASE("every family has a word of its own") {
  std::set<std::string_view> words;
  for (int family = 0; family <= static_cast<int>(Family::lora); ++family) {
    words.insert(to_string(static_cast<Family>(family)));
    CHECK_FALSE(advice(static_cast<Family>(family)).empty());
  }
  CHECK(words.size() == static_cast<size_t>(Family::lora) + 1);
}
