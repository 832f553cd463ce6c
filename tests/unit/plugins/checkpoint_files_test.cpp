// Plugins on checkpoint files as they lie about: converted, sharded, in the cache of the Hugging Face Hub,
// and of the wrong kind.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "backbones/convert_checkpoint.hpp"
#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

const std::string kCases = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/";
const std::string kClip = kCases + "clip/openai_state_dict/ViT-tiny.pth";
const std::string kDino = kCases + "dino/dinov2_reg4/weights.pth";
const std::string kProjection = kCases + "dino/talk2dino_e2e/projection.pth";
const std::string kDecoder = kCases + "pipeline/decap_forward/decoder.pt";
const std::string kBank = kCases + "pipeline/memory_projection/bank.safetensors";

Value options(const std::string& yaml) {
  return parse_yaml(yaml, "test.yaml");
}

/// Whether two backbones give the same features to the bit.
void check_same(const Backbone& left, const Backbone& right, const at::Tensor& pixels) {
  const ImageFeatures a = left.encode(pixels);
  const ImageFeatures b = right.encode(pixels);
  CHECK(at::equal(a.patches, b.patches));
  CHECK(at::equal(a.global, b.global));
  CHECK(at::equal(a.attention, b.attention));
}

std::string converted(const std::string& from, const fs::path& to, ConversionTarget target,
                      int64_t heads = 0) {
  ConversionOptions wanted;
  wanted.target = target;
  wanted.heads = heads;
  fs::create_directories(to.parent_path());
  write_conversion(plan_conversion(StateDict::open(from), wanted), to);
  return to.string();
}

/// Sets a variable of the environment for a while; nothing unsets it.
class Environment {
 public:
  Environment(std::string name, const char* value) : name_(std::move(name)) {
    const char* before = std::getenv(name_.c_str());
    before_ = before == nullptr ? std::nullopt : std::optional<std::string>(before);
    set(value);
  }
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const char* value) const {
    value == nullptr ? ::unsetenv(name_.c_str()) : ::setenv(name_.c_str(), value, 1);
  }
  std::string name_;
  std::optional<std::string> before_;
};

/// A repository in a cache as the Hub's client lays it out: files by digest in blobs/, a commit in refs/, and
/// links with the files' names in snapshots/.
class CachedModel {
 public:
  explicit CachedModel(const fs::path& hub) : folder_(hub / "models--org--model") {
    for (const fs::path& part : {folder_ / "blobs", folder_ / "refs", snapshot()}) {
      fs::create_directories(part);
    }
    std::ofstream(folder_ / "refs" / "main") << kCommit;
  }

  fs::path snapshot() const { return folder_ / "snapshots" / kCommit; }

  void add(const std::string& name, const std::string& content) const {
    const std::string digest = sha256(content);
    std::ofstream(folder_ / "blobs" / digest, std::ios::binary) << content;
    fs::create_symlink(fs::path("..") / ".." / "blobs" / digest, snapshot() / name);
  }

  void add_file(const std::string& name, const fs::path& from) const { add(name, read_file(from)); }

  /// The tensors of a checkpoint in two shards and their index.
  void add_shards(const StateDict& dict, const TestFolder& scratch) const {
    nlohmann::json map;
    std::vector<std::pair<std::string, at::Tensor>> halves[2];
    for (const std::string& name : dict.names()) {
      const size_t half = map.size() % 2;
      halves[half].emplace_back(name, dict.tensor(name));
      map[name] = fmt::format("model-0000{}-of-00002.safetensors", half + 1);
    }
    for (size_t half = 0; half < 2; ++half) {
      write_safetensors(scratch / "shard", halves[half]);
      add_file(fmt::format("model-0000{}-of-00002.safetensors", half + 1), scratch / "shard");
    }
    add("model.safetensors.index.json",
        nlohmann::json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}}.dump());
  }

  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

 private:
  fs::path folder_;
};

}  // namespace

TEST_CASE("a converted CLIP gives the same tokens and texts as the original, without any option") {
  const TestFolder folder;
  for (const auto& [name, file] :
       std::vector<std::pair<std::string, std::string>>{{"clip/openai_state_dict", "ViT-tiny.pth"},
                                                        {"clip/openai_torchscript", "ViT-T-3.pt"},
                                                        {"clip/hf_safetensors", "model.safetensors"},
                                                        {"clip/timm_safetensors", "model.safetensors"},
                                                        {"clip/open_clip", "open_clip_pytorch_model.bin"}}) {
    CAPTURE(name);
    const std::string from = kCases + name + "/" + file;
    const auto before = made_backbone("{plugin: clip, weights: " + from + "}");
    for (const auto& [target, to] : std::vector<std::pair<ConversionTarget, std::string>>{
             {ConversionTarget::safetensors, "a.safetensors"},
             {ConversionTarget::torch, "torch/a.pth"},
             {ConversionTarget::hugging_face, "hf/model.safetensors"}}) {
      CAPTURE(to);
      const TestFolder out;
      const auto after = made_backbone("{plugin: clip, weights: " + converted(from, out / to, target) + "}");
      check_same(*before, *after, expected_tensor(name, "input"));
      CHECK(before->image_spec().mean == after->image_spec().mean);
      CHECK(before->image_spec().resize_dim == after->image_spec().resize_dim);
      if (before->capabilities().text) {
        const at::Tensor ids = expected_tensor(name, "text_ids");
        CHECK(at::equal(before->encode_token_ids(ids), after->encode_token_ids(ids)));
      }
    }
  }
}

TEST_CASE("a converted DINOv2 gives the same tokens as the original") {
  for (const auto& [name, input] :
       std::vector<std::pair<std::string, std::string>>{{"dino/dinov2_noreg", "native/input"},
                                                        {"dino/dinov2_reg4", "native/input"},
                                                        {"dino/dinov2_reg4_swiglu", "native/input"}}) {
    CAPTURE(name);
    const std::string from = kCases + name + "/weights.pth";
    const auto before = made_backbone("{plugin: talk2dino, heads: 2, weights: " + from + "}");
    const TestFolder folder;
    const std::string flat = converted(from, folder / "a.safetensors", ConversionTarget::safetensors, 2);
    const std::string hugging_face =
        converted(from, folder / "hf/model.safetensors", ConversionTarget::hugging_face, 2);
    for (const std::string& weights : {flat, hugging_face}) {
      CAPTURE(weights);
      check_same(*before, *made_backbone("{plugin: talk2dino, weights: " + weights + "}"),
                 expected_tensor(name, input));
    }
  }
}

TEST_CASE("a backbone is made from a repository of the cache, wherever the environment puts the cache") {
  const TestFolder folder;
  const auto expected =
      made_backbone("{plugin: clip, weights: " + kCases + "clip/hf_safetensors/model.safetensors}");
  const CachedModel model(folder / "home/hub");
  model.add_file("model.safetensors", kCases + "clip/hf_safetensors/model.safetensors");
  model.add_file("config.json", kCases + "clip/hf_safetensors/config.json");
  const std::string repository = "{plugin: clip, weights: 'hf:org/model";
  {
    const Environment no_cache("HF_HUB_CACHE", nullptr);
    const Environment home("HF_HOME", (folder / "home").c_str());
    for (const std::string revision :
         {"", "@main", "@0123456", ":model.safetensors", "@main:model.safetensors"}) {
      CAPTURE(revision);
      check_same(*expected, *made_backbone(repository + revision + "'}"),
                 expected_tensor("clip/hf_safetensors", "input"));
    }
  }
  const Environment cache("HF_HUB_CACHE", (folder / "home/hub").c_str());
  const Environment home("HF_HOME", "/nowhere");
  check_same(*expected, *made_backbone(repository + "'}"), expected_tensor("clip/hf_safetensors", "input"));
}

TEST_CASE(
    "a sharded repository of the cache gives the same tokens as the one file, and names a missing shard") {
  const TestFolder folder;
  const Environment cache("HF_HUB_CACHE", (folder / "hub").c_str());
  const StateDict dict = StateDict::open(kDino);
  const CachedModel model(folder / "hub");
  model.add_shards(dict, folder);
  const std::string repository = "{plugin: talk2dino, heads: 2, weights: 'hf:org/model'}";
  check_same(*made_backbone("{plugin: talk2dino, heads: 2, weights: " + kDino + "}"),
             *made_backbone(repository), expected_tensor("dino/dinov2_reg4", "native/input"));
  fs::remove(model.snapshot() / "model-00002-of-00002.safetensors");
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { made_backbone(repository); }),
                 "model-00002-of-00002.safetensors"));
}

TEST_CASE("a repository that is not in the cache comes with the command to type") {
  const TestFolder folder;
  const Environment cache("HF_HUB_CACHE", folder.path().c_str());
  for (const std::string yaml :
       {"{plugin: clip, weights: 'hf:org/model@v2'}", "{plugin: talk2dino, weights: 'hf:org/model@v2'}",
        "{plugin: talk2dino, projection_weights: 'hf:org/model@v2:p.pth'}"}) {
    CAPTURE(yaml);
    CHECK(contains(refusal_of([&] { made_backbone(yaml); }), "hf download org/model"));
  }
}

TEST_CASE("a checkpoint of the wrong kind is named, with what was expected and what reads it") {
  const auto refused = [](const std::string& yaml) {
    return refusal_of(ErrorKind::checkpoint, [&] { made_backbone("{plugin: " + yaml + "}"); });
  };
  const std::string clip_in_dino = refused("talk2dino, weights: " + kClip);
  CHECK(contains(clip_in_dino,
                 "backbone 'talk2dino': ViT-tiny.pth (torch zip) is an OpenAI CLIP with a vision"));
  CHECK(contains(clip_in_dino, "), but `weights` must be a DINOv2"));
  CHECK(contains(clip_in_dino, "; the backbone clip reads it"));
  CHECK(contains(refused("talk2dino, weights: " + kProjection),
                 "the backbone talk2dino reads it as `projection_weights`"));
  CHECK(contains(refused("talk2dino, projection_weights: " + kDino),
                 "is an official DINOv2 (2 blocks of width 32, patches of 14 with 4 registers), but "
                 "`projection_weights` must be a Talk2DINO projection"));
  CHECK(contains(refused("talk2dino, heads: 2, weights: " + kDino + ", clip_text_weights: " + kDino),
                 "but `clip_text_weights` must be a CLIP with a text tower"));
  CHECK(contains(refused("clip, weights: " + kProjection), "but `weights` must be a CLIP"));
  CHECK(contains(refused("clip, weights: " + kDecoder), "is a DeCap decoder ("));
  CHECK(contains(refused("clip, weights: " + kBank), "the gap memory reads it as `bank`"));
  PluginHost host;
  CHECK(contains(refusal_of(ErrorKind::checkpoint,
                            [&] { host.decoder(options("{plugin: plain, weights: " + kClip + "}"), {}); }),
                 "but `weights` must be a DeCap decoder"));
  CHECK(contains(refusal_of(ErrorKind::checkpoint,
                            [&] { host.gap(options("{plugin: memory, bank: " + kDecoder + "}"), {}); }),
                 "is a DeCap decoder ("));
}

}  // namespace patchioner
