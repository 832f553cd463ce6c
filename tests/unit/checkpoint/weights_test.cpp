// What authors of plugins read checkpoints by.
#include <patchioner/weights.hpp>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// A file of three tensors, one of them in half precision.
std::string small_file(const TestFolder& folder) {
  const std::string path = (folder / "small.safetensors").string();
  write_safetensors(path, {{"patch_embed.proj.weight", at::arange(12, at::kFloat).view({3, 4})},
                           {"norm.weight", at::full({4}, 0.5, at::kHalf)},
                           {"head.weight", at::ones({2})}});
  return path;
}

}  // namespace

TEST_CASE("weights are found by name, and given as float32 of the shape that is expected") {
  const TestFolder folder;
  Weights weights(small_file(folder), "a model");
  CHECK(weights.names() == std::vector<std::string>{"patch_embed.proj.weight", "norm.weight", "head.weight"});
  CHECK(weights.contains("norm.weight"));
  CHECK_FALSE(weights.contains("norm.bias"));
  CHECK(weights.shape("patch_embed.proj.weight") == std::vector<int64_t>{3, 4});
  CHECK(at::equal(weights.get("patch_embed.proj.weight", {3, -1}), at::arange(12, at::kFloat).view({3, 4})));
  CHECK(at::equal(weights.get("norm.weight", {4}), at::full({4}, 0.5)));
  weights.ignore("head.");
  CHECK_NOTHROW(weights.finish());
}

TEST_CASE("tensors outlive what they were read by") {
  const TestFolder folder;
  const auto read = [&] {
    Weights weights(small_file(folder), "a model");
    Weights moved = std::move(weights);
    return moved.get("patch_embed.proj.weight", {3, 4});
  };
  CHECK(read().sum().item<float>() == 66);
}

TEST_CASE("all that is missing or of another shape is one error, told at the end") {
  const TestFolder folder;
  Weights weights(small_file(folder), "a model");
  CHECK(weights.get("norm.weihgt", {4}).numel() == 0);
  CHECK(weights.get("patch_embed.proj.weight", {5, 4}).numel() == 0);
  const std::string refusal = refusal_of(ErrorKind::checkpoint, [&] { weights.finish(); });
  mentions(refusal, "small.safetensors");
  mentions(refusal, "does not fit a model");
  mentions(refusal, "norm.weihgt [4]; the file has norm.weight [4]");
  mentions(refusal, "patch_embed.proj.weight is [3,4], expected [5,4]");
}

TEST_CASE("the shape of a tensor that is not there is refused with the nearest name") {
  const TestFolder folder;
  const Weights weights(small_file(folder), "a model");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)weights.shape("norm.wieght"); }),
           "did you mean 'norm.weight'");
}

TEST_CASE("a file that cannot be opened, or is no checkpoint, is refused at once") {
  const TestFolder folder;
  refusal_of(ErrorKind::io, [&] { Weights((folder / "absent.pt").string(), "a model"); });
  folder.write("text.pt", "hello");
  refusal_of(ErrorKind::checkpoint, [&] { Weights((folder / "text.pt").string(), "a model"); });
}

TEST_CASE("the digest is that of the file") {
  const TestFolder folder;
  const std::string path = small_file(folder);
  CHECK(Weights(path, "a model").digest() == StateDict::open(path).digest());
  CHECK(Weights(path, "a model").digest().size() == 64);
}
