// Safetensors files, written and read (spec/02 section 13.4).
#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// A file of the given header and `data_bytes` zero bytes of data.
std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\0');
}

std::string refusal_of_header(const std::string& header, size_t data_bytes) {
  const TestFolder folder;
  const auto path = folder.write("x.safetensors", file_of(header, data_bytes));
  const std::string message = refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(path); });
  CHECK(contains(message, "x.safetensors"));
  return message;
}

}  // namespace

TEST_CASE("what is written as safetensors is read back bit for bit, in order, with its metadata") {
  const TestFolder folder;
  const at::Tensor floats = at::arange(6, at::kFloat).reshape({2, 3}).t();  // [3,2], not contiguous
  write_safetensors(folder / "a.safetensors",
                    {{"z", floats},
                     {"half", at::tensor({1.5, -2.25}).to(at::kHalf)},
                     {"brain", at::tensor({3.0, 1e30}).to(at::kBFloat16)},
                     {"flags", at::tensor({1, 0, 1}).to(at::kBool)},
                     {"count", at::scalar_tensor(41, at::kLong)},
                     {"none", at::empty({0, 3})},
                     {"bytes", at::tensor({7, 255}).to(at::kByte)}},
                    {{"epoch", "3"}});
  const StateDict dict = StateDict::open(folder / "a.safetensors");
  CHECK(dict.format() == CheckpointFormat::safetensors);
  CHECK(dict.names() == std::vector<std::string>{"z", "half", "brain", "flags", "count", "none", "bytes"});
  CHECK(dict.metadata().at("epoch") == "3");
  CHECK(at::equal(dict.tensor("z"), floats));
  CHECK(dict.tensor("z").is_contiguous());
  CHECK((dict.tensor("half").scalar_type() == at::kHalf));
  CHECK(dict.tensor("half")[1].item<float>() == -2.25f);
  CHECK((dict.tensor("brain").scalar_type() == at::kBFloat16));
  CHECK(dict.tensor("flags")[2].item<bool>());
  CHECK(dict.tensor("count").dim() == 0);
  CHECK(dict.tensor("count").item<int64_t>() == 41);
  CHECK(dict.tensor("none").sizes() == at::IntArrayRef{0, 3});
  CHECK(dict.tensor("bytes")[1].item<int64_t>() == 255);
}

TEST_CASE("a tensor outlives the state dict and the file that it came from") {
  at::Tensor kept;
  {
    const TestFolder folder;
    write_safetensors(folder / "a.safetensors", {{"w", at::full({1000}, 2.5)}});
    kept = StateDict::open(folder / "a.safetensors").tensor("w");
  }
  CHECK(kept.sum().item<float>() == 2500.0f);
}

TEST_CASE("tensors of a mapped file may be changed in place without changing the file") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors", {{"w", at::ones({4})}});
  at::Tensor weight = StateDict::open(folder / "a.safetensors").tensor("w");
  weight.add_(1);
  CHECK(weight.sum().item<float>() == 8.0f);
  CHECK(StateDict::open(folder / "a.safetensors").tensor("w").sum().item<float>() == 4.0f);
}

TEST_CASE("the smallest valid file holds no tensors") {
  const TestFolder folder;
  CHECK(StateDict::open(folder.write("e.safetensors", file_of("{}", 0))).names().empty());
}

TEST_CASE("trailing spaces in the header are allowed, a leading one is not") {
  const TestFolder folder;
  const std::string entry = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  CHECK(StateDict::open(folder.write("a.safetensors", file_of(entry + "   ", 4))).names().size() == 1);
  CHECK_THROWS_AS(StateDict::open(folder.write("b.safetensors", file_of(" " + entry, 4))), Error);
}

TEST_CASE("headers that break a rule of the format are refused by the rule's name") {
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}},)", 4),
                 "not JSON"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"Q7","shape":[1],"data_offsets":[0,4]}})", 4),
                 "dtype 'Q7'"));
  CHECK(
      contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), "takes 8"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
                 "4 bytes of data"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4),
                 "data_offsets"));
  CHECK(contains(
      refusal_of_header(R"({"w":{"dtype":"F32","shape":[8589934592,8589934592],"data_offsets":[0,4]}})", 4),
      "counted"));
  CHECK(contains(
      refusal_of_header(R"({"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4),
      "counted"));
  CHECK(contains(
      refusal_of_header(R"({"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", 4),
      "64-bit"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
                 "negative"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "hole"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8),
                 "belong to no tensor"));
  CHECK(contains(
      refusal_of_header(
          R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          8),
      "twice"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[1]}})", 4), "data_offsets"));
  CHECK(contains(
      refusal_of_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32"}})", 4),
      "twice"));
  CHECK(contains(refusal_of_header(R"({"w":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4),
                 "a list"));
  CHECK(contains(refusal_of_header(R"({"w":3})", 0), "a number"));
  CHECK(contains(refusal_of_header(R"({"__metadata__":{"a":1}})", 0), "a number"));
}

TEST_CASE("a file cut short anywhere is refused with a sentence that names it") {
  const TestFolder folder;
  write_safetensors(folder / "a.safetensors", {{"w", at::ones({4})}, {"v", at::ones({3}, at::kLong)}});
  const std::string whole = read_file(folder / "a.safetensors");
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto path = folder.write("cut.safetensors", std::string_view(whole).substr(0, size));
    CHECK(contains(refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(path); }), "cut.safetensors"));
  }
}

TEST_CASE("what is no checkpoint is named for what it is") {
  const TestFolder folder;
  const auto message = [&](std::string_view content) {
    const auto path = folder.write("w.pth", content);
    return refusal_of(ErrorKind::checkpoint, [&] { StateDict::open(path); });
  };
  CHECK(contains(message(""), "empty"));
  CHECK(contains(message("version https://git-lfs.github.com/spec/v1\noid sha256:0"), "git lfs pull"));
  CHECK(contains(message("<!DOCTYPE html><html>"), "web page"));
  CHECK(contains(message("hello, this is no checkpoint"), "no checkpoint of a known format"));
}

TEST_CASE("a file that does not exist is an io error") {
  try {
    StateDict::open("/nowhere/w.pth");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::io);
  }
}
