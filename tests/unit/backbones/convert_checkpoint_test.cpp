// Checkpoints written anew: names, bits, settings, and what is refused.
#include "backbones/convert_checkpoint.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "backbones/stored_settings.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

const std::string kCases = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/";
const std::string kOpenAi = kCases + "clip/openai_state_dict/ViT-tiny.pth";
const std::string kHuggingFace = kCases + "clip/hf_safetensors/model.safetensors";
const std::string kDino = kCases + "dino/dinov2_reg4/weights.pth";

StateDict convert(const StateDict& from, const fs::path& to, ConversionOptions options) {
  write_conversion(plan_conversion(from, options), to);
  return StateDict::open(to);
}

StateDict convert(const fs::path& from, const fs::path& to, ConversionTarget target, int64_t heads = 0) {
  ConversionOptions options;
  options.target = target;
  options.heads = heads;
  return convert(StateDict::open(from), to, options);
}

/// Whether two checkpoints hold the same names, types and bits; names that end in `except` do not count.
bool same_tensors(const StateDict& left, const StateDict& right, const std::string& except = "-") {
  const auto names = [&except](const StateDict& dict) {
    std::set<std::string> kept;
    for (const std::string& name : dict.names()) {
      if (!name.ends_with(except)) {
        kept.insert(name);
      }
    }
    return kept;
  };
  CHECK(names(left) == names(right));
  for (const std::string& name : names(left)) {
    CAPTURE(name);
    if (!right.contains(name)) {
      return false;
    }
    const at::Tensor a = left.tensor(name);
    const at::Tensor b = right.tensor(name);
    CHECK((a.scalar_type() == b.scalar_type()));
    CHECK(at::equal(a, b));
  }
  return true;
}

}  // namespace

TEST_CASE("a CLIP of any layout becomes safetensors under OpenAI's names, with its settings and its source") {
  const TestFolder folder;
  for (const auto& [from, layout] : std::vector<std::pair<std::string, std::string>>{
           {kOpenAi, "OpenAI / open_clip"},
           {kCases + "clip/openai_torchscript/ViT-T-3.pt", "OpenAI / open_clip"},
           {kHuggingFace, "Hugging Face"},
           {kCases + "clip/timm_safetensors/model.safetensors", "timm"},
           {kCases + "clip/open_clip/open_clip_pytorch_model.bin", "OpenAI / open_clip"}}) {
    CAPTURE(from);
    const StateDict out = convert(from, folder / "out.safetensors", ConversionTarget::safetensors);
    CHECK((out.format() == CheckpointFormat::safetensors));
    CHECK(out.contains("visual.transformer.resblocks.0.attn.in_proj_weight"));
    CHECK(out.metadata().at("patchioner.source_names") == layout);
    CHECK(out.metadata().at("patchioner.source_sha256") == StateDict::open(from).digest());
    CHECK(out.metadata().at("patchioner.source") == fs::path(from).filename());
    const ClipSettings settings = find_clip_settings(ClipCheckpoint(out), {});
    const ClipSettings before = find_clip_settings(ClipCheckpoint(StateDict::open(from)), {});
    CHECK(settings.image_heads == before.image_heads);
    CHECK(settings.text_heads == before.text_heads);
    CHECK((settings.image_activation == before.image_activation));
    CHECK(settings.mean == before.mean);
    CHECK(settings.end_id == before.end_id);
    CHECK(settings.image_size == before.image_size);
  }
}

TEST_CASE("OpenAI's layout comes back bit by bit, also by way of transformers'") {
  const TestFolder folder;
  const StateDict original = StateDict::open(kOpenAi);
  convert(kOpenAi, folder / "a.safetensors", ConversionTarget::safetensors);
  CHECK(same_tensors(convert(folder / "a.safetensors", folder / "a.pth", ConversionTarget::torch), original));
  convert(kOpenAi, folder / "model.safetensors", ConversionTarget::hugging_face);
  CHECK(fs::exists(folder / "config.json"));
  const StateDict back = convert(folder / "model.safetensors", folder / "b.pth", ConversionTarget::torch);
  CHECK((back.format() == CheckpointFormat::torch_zip));
  CHECK(same_tensors(back, original));
}

TEST_CASE("transformers' layout comes back bit by bit, and says the same in its configuration") {
  const TestFolder folder;
  convert(kHuggingFace, folder / "a.safetensors", ConversionTarget::safetensors);
  const StateDict back =
      convert(folder / "a.safetensors", folder / "model.safetensors", ConversionTarget::hugging_face);
  CHECK(same_tensors(back, StateDict::open(kHuggingFace), "position_ids"));
  const auto written = nlohmann::json::parse(read_file(folder / "config.json"));
  const auto given = nlohmann::json::parse(read_file(kCases + "clip/hf_safetensors/config.json"));
  for (const char* section : {"vision_config", "text_config"}) {
    for (const auto& [key, value] : given[section].items()) {
      CAPTURE(key);
      if (written[section].contains(key)) {
        CHECK(written[section][key] == value);
      }
    }
    CHECK(written[section]["num_attention_heads"] == given[section]["num_attention_heads"]);
  }
}

TEST_CASE("settings that OpenAI's layout cannot say are laid beside it as open_clip says them") {
  const TestFolder folder;
  const std::string source = kCases + "clip/open_clip/open_clip_pytorch_model.bin";
  const StateDict out = convert(source, folder / "out.pth", ConversionTarget::torch);
  CHECK_FALSE(out.contains("input_resolution"));
  CHECK(fs::exists(folder / "open_clip_config.json"));
  const ClipSettings settings = find_clip_settings(ClipCheckpoint(out), {});
  const ClipSettings before = find_clip_settings(ClipCheckpoint(StateDict::open(source)), {});
  CHECK(settings.image_heads == before.image_heads);
  CHECK(settings.text_heads == before.text_heads);
  CHECK((settings.text_activation == Activation::gelu));
  CHECK(settings.mean == before.mean);
}

TEST_CASE("DINOv2 goes from the official names to transformers' and back bit by bit, with its head count") {
  const TestFolder folder;
  for (const char* name : {"dinov2_noreg", "dinov2_reg4", "dinov2_reg4_swiglu"}) {
    CAPTURE(name);
    const StateDict original = StateDict::open(kCases + "dino/" + name + "/weights.pth");
    const StateDict middle =
        convert(original.path(), folder / "model.safetensors", ConversionTarget::hugging_face, 2);
    CHECK(middle.contains("encoder.layer.0.attention.attention.query.weight"));
    CHECK(identify(middle).words.starts_with("a Hugging Face DINOv2"));
    CHECK(stored_heads(middle) == 2);
    CHECK(nlohmann::json::parse(read_file(folder / "config.json"))["num_attention_heads"] == 2);
    CHECK(same_tensors(convert(folder / "model.safetensors", folder / "b.pth", ConversionTarget::torch),
                       original));
    const StateDict flat =
        convert(original.path(), folder / "c.safetensors", ConversionTarget::safetensors, 2);
    CHECK(same_tensors(flat, original));
    CHECK(stored_heads(flat) == 2);
    CHECK_FALSE(stored_heads(original).has_value());
  }
  const std::string hf = kCases + "dino/dinov2_hf/model.safetensors";
  convert(hf, folder / "d.pth", ConversionTarget::torch);
  CHECK(
      same_tensors(convert(folder / "d.pth", folder / "model.safetensors", ConversionTarget::hugging_face, 2),
                   StateDict::open(hf)));
}

TEST_CASE("DINO takes the names of transformers' ViT and comes back") {
  const TestFolder folder;
  Tensors tensors;
  for (const std::string& name : StateDict::open(kCases + "dino/dinov2_noreg/weights.pth").names()) {
    if (name.find(".ls") == std::string::npos && name != "mask_token") {
      tensors[name] = StateDict::open(kCases + "dino/dinov2_noreg/weights.pth").tensor(name);
    }
  }
  const StateDict original = StateDict::from_tensors(tensors);
  ConversionOptions options;
  options.target = ConversionTarget::hugging_face;
  options.heads = 2;
  const StateDict out = convert(original, folder / "model.safetensors", options);
  CHECK(out.contains("encoder.layer.1.layernorm_before.weight"));
  CHECK((identify(out).family == CheckpointFamily::dino));
  CHECK(nlohmann::json::parse(read_file(folder / "config.json"))["model_type"] == "vit");
  CHECK(same_tensors(convert(folder / "model.safetensors", folder / "b.pth", ConversionTarget::torch),
                     original));
}

TEST_CASE("a conversion says what it cannot carry over") {
  ConversionOptions options;
  options.heads = 2;
  options.target = ConversionTarget::torch;
  const Conversion dino = plan_conversion(StateDict::open(kDino), options);
  REQUIRE(dino.remarks.size() == 1);
  CHECK(contains(dino.remarks[0], "set `heads: 2`"));
  Tensors tensors;
  const StateDict whole = StateDict::open(kDino);
  for (const std::string& name : whole.names()) {
    tensors[name] = whole.tensor(name);
  }
  tensors["head.weight"] = at::zeros({3, 3});
  CHECK(plan_conversion(StateDict::from_tensors(tensors), options).left_out ==
        std::vector<std::string>{"head.weight"});
  tensors.clear();
  const StateDict clip = StateDict::open(kOpenAi);
  for (const std::string& name : clip.names()) {
    if (name != "input_resolution") {
      tensors[name] = clip.tensor(name);
    }
  }
  const Conversion unsaid = plan_conversion(StateDict::from_tensors(tensors), {});
  REQUIRE(unsaid.remarks.size() == 1);
  CHECK(contains(unsaid.remarks[0], "needs the same options as the original"));
}

TEST_CASE("another element type is taken by floating-point tensors alone, and refused where it cannot hold") {
  const TestFolder folder;
  ConversionOptions options;
  options.dtype = at::kBFloat16;
  const StateDict original = StateDict::open(kOpenAi);
  const StateDict out = convert(original, folder / "a.safetensors", options);
  CHECK((out.info("visual.proj")->dtype == at::kBFloat16));
  CHECK((out.info("input_resolution")->dtype == at::kLong));
  CHECK(at::equal(out.tensor("visual.proj"), original.tensor("visual.proj").to(at::kBFloat16)));
  options.dtype = at::kHalf;
  const StateDict large = StateDict::from_tensors(
      {{"linear_layer.weight", at::full({2, 2}, 1e6F)}, {"linear_layer.bias", at::zeros({2})}});
  CHECK(contains(refusal_of(ErrorKind::data, [&] { convert(large, folder / "b.safetensors", options); }),
                 "'linear_layer.weight' holds values that float16 cannot hold"));
  CHECK_FALSE(fs::exists(folder / "b.safetensors"));
}

TEST_CASE("models that keep their names keep their tensors, and the small files beside them follow") {
  const TestFolder folder;
  const std::string variants = kCases + "dino/talk2dino_variants/";
  const StateDict legacy =
      convert(variants + "legacy.pth", folder / "p.safetensors", ConversionTarget::safetensors);
  CHECK(legacy.contains("hidden_layers.0.weight"));
  CHECK(read_file(folder / "p.yaml") == read_file(variants + "legacy.yaml"));
  const std::string decoder = kCases + "pipeline/decap_forward/decoder.pt";
  const StateDict middle = convert(decoder, folder / "d.safetensors", ConversionTarget::safetensors);
  CHECK(same_tensors(middle, StateDict::open(decoder)));
  CHECK(read_file(folder / "d_config.json") ==
        read_file(kCases + "pipeline/decap_forward/decoder_config.json"));
  const StateDict back = convert(folder / "d.safetensors", folder / "d.pt", ConversionTarget::torch);
  CHECK(same_tensors(back, StateDict::open(decoder)));
  // The embedding is tied to the head again, so that the file holds it once.
  CHECK(back.tensor("decoder.lm_head.weight").data_ptr() ==
        back.tensor("decoder.transformer.wte.weight").data_ptr());
}

TEST_CASE("what cannot be converted is refused before anything is written") {
  ConversionOptions hugging_face;
  hugging_face.target = ConversionTarget::hugging_face;
  const auto refused = [](ErrorKind kind, const std::string& file, const ConversionOptions& options) {
    return refusal_of(kind, [&] { plan_conversion(StateDict::open(kCases + file), options); });
  };
  CHECK(contains(refused(ErrorKind::checkpoint, "pipeline/memory_projection/bank.safetensors", {}),
                 "is a memory bank ("));
  CHECK(contains(refused(ErrorKind::checkpoint, "clip/checkpoint_reader/views.pth", {}),
                 "of no model that is known here"));
  CHECK(contains(refused(ErrorKind::usage, "dino/talk2dino_variants/linear.pth", hugging_face),
                 "transformers has no layout for"));
  CHECK(contains(refused(ErrorKind::config, "dino/dinov2_reg4/weights.pth", hugging_face), "set `heads`"));
  Tensors tensors;
  const StateDict clip = StateDict::open(kOpenAi);
  for (const std::string& name : clip.names()) {
    if (name != "input_resolution") {
      tensors[name] = clip.tensor(name);
    }
  }
  CHECK(contains(
      refusal_of(ErrorKind::config, [&] { plan_conversion(StateDict::from_tensors(tensors), hugging_face); }),
      "give the model's own configuration file"));
  tensors = {};
  const StateDict timm = StateDict::open(kCases + "clip/timm_safetensors/model.safetensors");
  for (const std::string& name : timm.names()) {
    tensors[name] = timm.tensor(name);
  }
  tensors["head.bias"] = at::ones_like(tensors["head.bias"]);
  CHECK(contains(
      refusal_of(ErrorKind::usage, [&] { plan_conversion(StateDict::from_tensors(tensors), hugging_face); }),
      "a bias that is not zero"));
}

TEST_CASE("an interrupted conversion leaves nothing behind") {
  const TestFolder folder;
  const Conversion conversion = plan_conversion(StateDict::open(kOpenAi), {});
  // A process that was interrupted stays so, hence one of its own.
  const pid_t child = ::fork();
  if (child == 0) {
    const PoliteInterrupt polite;
    std::raise(SIGINT);
    try {
      write_conversion(conversion, folder / "out.safetensors");
    } catch (const Error& error) {
      ::_exit(contains(error.what(), "interrupted; nothing was changed") ? 0 : 1);
    }
    ::_exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("settings that a file carries go before a configuration beside it, and damaged ones are refused") {
  const TestFolder folder;
  convert(kHuggingFace, folder / "out.safetensors", ConversionTarget::safetensors);
  write_file(folder / "open_clip_config.json",
             R"({"vision_cfg": {"width": 64, "head_width": 2}, "text_cfg": {}})");
  const auto heads = [&] {
    return find_clip_settings(ClipCheckpoint(StateDict::open(folder / "out.safetensors")), {}).image_heads;
  };
  CHECK(heads() == find_clip_settings(ClipCheckpoint(StateDict::open(kHuggingFace)), {}).image_heads);
  ClipChoices choices;
  choices.config = folder / "open_clip_config.json";
  CHECK(
      find_clip_settings(ClipCheckpoint(StateDict::open(folder / "out.safetensors")), choices).image_heads ==
      32);
  const at::Tensor some = at::zeros({1});
  for (const char* damaged : {"{", "[]", R"({"image_heads": "two"})"}) {
    write_safetensors(folder / "bad.safetensors", {{"visual.class_embedding", some}},
                      {{kSettingsKey, damaged}});
    CHECK(contains(refusal_of(ErrorKind::checkpoint,
                              [&] { stored_clip_settings(StateDict::open(folder / "bad.safetensors")); }),
                   "convert the checkpoint again"));
  }
}

}  // namespace patchioner
