// The view over checkpoints: prefixes, other names, sharded files, digests, and the loader's report.
#include "checkpoint/state_dict.hpp"

#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

TEST_CASE("a wrapper's prefix in front of all names is dropped, and names that carry it are still found") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors",
                    {{"module.clip.a", at::ones({1})}, {"module.clip.b.c", at::ones({2})}});
  const StateDict dict = StateDict::open(folder / "a.safetensors");
  CHECK(dict.names() == std::vector<std::string>{"a", "b.c"});
  CHECK(dict.contains("module.clip.a"));
  CHECK(dict.tensor("module.clip.b.c").numel() == 2);
  CHECK(dict.with_prefix("module.clip.").names() == std::vector<std::string>{"a", "b.c"});
  CHECK(dict.contains_prefix("module.clip.b."));
  const StateDict verbatim = StateDict::open(folder / "a.safetensors", "");
  CHECK(verbatim.names() == std::vector<std::string>{"module.clip.a", "module.clip.b.c"});
}

TEST_CASE("in a format without maps a root is the first part of the names") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors", {{"ema.w", at::ones({1})}, {"emaw", at::ones({2})}});
  CHECK(StateDict::open(folder / "a.safetensors", "ema").names() == std::vector<std::string>{"w"});
}

TEST_CASE("a prefix that not all names carry stays") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors", {{"module.a", at::ones({1})}, {"b", at::ones({2})}});
  CHECK(StateDict::open(folder / "a.safetensors").names() == std::vector<std::string>{"module.a", "b"});
}

TEST_CASE("a view under a prefix shows the part without it") {
  const StateDict dict = StateDict::from_tensors(
      {{"visual.a", at::ones({1})}, {"visual.b", at::ones({2})}, {"text.a", at::ones({3})}});
  const StateDict visual = dict.with_prefix("visual.");
  CHECK(visual.names() == std::vector<std::string>{"a", "b"});
  CHECK(visual.tensor("b").numel() == 2);
  CHECK(visual.info("b")->shape == std::vector<int64_t>{2});
  CHECK_FALSE(visual.contains("text.a"));
  CHECK(dict.contains_prefix("text."));
  CHECK_FALSE(dict.contains_prefix("audio."));
}

TEST_CASE("renaming gives other names, leaves out what gets an empty one, and refuses two of one name") {
  const StateDict dict = StateDict::from_tensors({{"a", at::ones({1})}, {"b", at::ones({2})}});
  const StateDict renamed = dict.renamed([](const std::string& name) { return name == "a" ? "x" : ""; });
  CHECK(renamed.names() == std::vector<std::string>{"x"});
  CHECK(renamed.tensor("x").numel() == 1);
  CHECK_THROWS_AS(dict.renamed([](const std::string&) { return "x"; }), Error);
}

TEST_CASE("an absent name is an error with the nearest one") {
  const StateDict dict = StateDict::from_tensors({{"visual.proj", at::ones({1})}});
  CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { dict.tensor("visual.porj"); }),
                 "did you mean 'visual.proj'"));
}

TEST_CASE("the digest is the file's SHA-256") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors", {{"a", at::ones({1})}});
  CHECK(StateDict::open(folder / "a.safetensors").digest() == sha256_of_file(folder / "a.safetensors"));
  CHECK(StateDict::from_tensors({}).digest().empty());
}

TEST_CASE("a sharded checkpoint is one state dict") {
  const TestFolder folder;
  write_safetensors(folder / "m-1.safetensors", {{"a", at::full({2}, 1.0)}});
  write_safetensors(folder / "m-2.safetensors", {{"b", at::full({3}, 2.0)}});
  const auto index = folder.write(
      "model.safetensors.index.json",
      R"({"metadata": {"total_size": 20}, "weight_map": {"b": "m-2.safetensors", "a": "m-1.safetensors"}})");
  const StateDict dict = StateDict::open(index);
  CHECK(dict.names() == std::vector<std::string>{"b", "a"});
  CHECK(dict.tensor("b").sum().item<float>() == 6.0f);
  CHECK(dict.tensor("a").sum().item<float>() == 2.0f);
  CHECK(dict.metadata().at("total_size") == "20");
  CHECK(dict.digest().size() == 64);
}

TEST_CASE("a sharded index that does not fit its files is refused") {
  const TestFolder folder;
  write_safetensors(folder / "m-1.safetensors", {{"a", at::ones({2})}});
  const auto message = [&](const std::string& json) {
    const auto path = folder.write("index.json", json);
    return refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(path); });
  };
  CHECK(contains(message(R"({"weight_map": {"a": "m-9.safetensors"}})"), "not beside it"));
  CHECK(contains(message(R"({"weight_map": {"b": "m-1.safetensors"}})"), "but it does not"));
  CHECK(contains(message(R"({"weight_map": {"a": "../m-1.safetensors"}})"), "only files beside"));
  CHECK(contains(message(R"({"weight_map": {"a": "index.json"}})"), "no checkpoint of a known format"));
  CHECK(contains(message(R"({"weight_map": {"a": 3}})"), "only files beside"));
  CHECK(contains(message(R"({"weight_map": [)"), "not a valid index"));
}

TEST_CASE("the loader gives float32 and says everything that is wrong at once") {
  const StateDict dict = StateDict::from_tensors({{"visual.conv1.weight", at::ones({4, 3, 2, 2}, at::kHalf)},
                                                  {"visual.proj", at::ones({5, 4})},
                                                  {"visual.ln_poste.weight", at::ones({4})},
                                                  {"visual.position_ids", at::ones({9})},
                                                  {"extra", at::ones({1})}},
                                                 "weights.pth");
  TensorLoader loader(dict, "CLIP image tower");
  const at::Tensor weight = loader.get("visual.conv1.weight", {4, 3, -1, -1});
  CHECK((weight.scalar_type() == at::kFloat));
  CHECK(weight.sum().item<float>() == 48.0f);
  CHECK(loader.get("visual.proj", {4, 5}).numel() == 0);
  loader.get("visual.ln_post.weight", {4});
  CHECK_FALSE(loader.get_optional("visual.bias", {4}).defined());
  loader.ignore_prefix("visual.position");
  const std::string message = refusal_of(ErrorKind::checkpoint, [&] { loader.finish(); });
  CHECK(contains(message, "weights.pth"));
  CHECK(contains(message,
                 "does not fit CLIP image tower: tensors 1 missing, 1 of another shape, 2 unexpected"));
  CHECK(contains(message, "missing      visual.ln_post.weight [4]; the file has visual.ln_poste.weight [4]"));
  CHECK(contains(message, "wrong shape  visual.proj is [5,4], expected [4,5]"));
  CHECK(contains(message, "unexpected   extra [1]"));
  CHECK_FALSE(contains(message, "position_ids"));
}

TEST_CASE("unexpected tensors alone are no error") {
  TensorLoader loader(StateDict::from_tensors({{"a", at::ones({1})}, {"b", at::ones({1})}}), "a part");
  loader.get("a", {1});
  CHECK_NOTHROW(loader.finish());
}
