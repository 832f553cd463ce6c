// Memories of captions in both layouts, what belongs to a row, and what does not go together.
#include "entities/caption_memory.hpp"

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kCase = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/meacap";

at::Tensor axes(const std::vector<int64_t>& chosen) {
  return at::eye(4).index_select(0, at::tensor(chosen, at::kLong));
}

/// A folder in the reference's layout whose captions lie on the axes named.
void write_memory(const TestFolder& folder, const std::string& captions, const at::Tensor& embeddings) {
  folder.write("memory_captions.json", captions);
  write_safetensors(folder / "memory_clip_embeddings.safetensors", {{"embeddings", embeddings}});
}

std::string refusal(ErrorKind kind, const std::filesystem::path& path) {
  return refusal_of(kind, [&] { (void)CaptionMemory::open(path); });
}

std::vector<std::string> texts_of(const std::vector<MemoryMatch>& matches) {
  std::vector<std::string> texts;
  for (const MemoryMatch& match : matches) {
    texts.push_back(match.text);
  }
  return texts;
}

TEST_CASE("a memory in the reference's layout is read with its scene graphs") {
  const auto memory = CaptionMemory::open(kCase);
  CHECK(memory->dim() == 24);
  CHECK(memory->bank().rows() == 48);
  REQUIRE(memory->has_scene_graphs());
  const auto near = memory->nearest(memory->bank().embeddings().slice(0, 7, 8) * 3, 1).at(0).at(0);
  CHECK(near.row == 7);
  CHECK(near.similarity == doctest::Approx(1));
  CHECK(memory->scene_graph(7).starts_with("( "));
  CHECK(memory->entity_names().empty());
  CHECK(memory->text_fingerprint().empty());
}

TEST_CASE("a bank is a memory without scene graphs, which says what it was made with") {
  const TestFolder folder;
  write_safetensors(folder / "bank.safetensors", {{"embeddings", axes({0, 1})}},
                    {{"text_fingerprint", "clip_text:1"}});
  folder.write("bank.texts.json", "[\"a dog\", \"a cat\"]");
  const auto memory = CaptionMemory::open(folder / "bank.safetensors");
  CHECK_FALSE(memory->has_scene_graphs());
  CHECK(memory->text_fingerprint() == "clip_text:1");
  CHECK(texts_of(memory->nearest(axes({1}), 1).at(0)) == std::vector<std::string>{"a cat"});
}

TEST_CASE("captions without text are left out with their rows and scene graphs") {
  const TestFolder folder;
  at::Tensor embeddings = axes({0, 1, 3, 0, 2, 0});
  embeddings[2].zero_();
  write_memory(folder, R"(["", "a dog", "never", "", "a cat", ""])", embeddings);
  folder.write("memory_scene_graphs.json",
               R"json(["( no )", "( dog )", "( never )", "( nor )", "( cat )", "( not )"])json");
  const auto memory = CaptionMemory::open(folder.path());
  CHECK(memory->bank().texts() == std::vector<std::string>{"a dog", "a cat"});
  CHECK(at::equal(memory->bank().embeddings(), axes({1, 2})));
  CHECK(memory->scene_graph(0) == "( dog )");
  CHECK(memory->scene_graph(1) == "( cat )");
  const at::Tensor feature = at::tensor({5.0f, 2.0f, 1.0f, 0.0f}).view({1, 4});
  CHECK(texts_of(memory->nearest(feature, 1).at(0)) == std::vector<std::string>{"a dog"});
  CHECK(texts_of(memory->nearest(feature, 9).at(0)) == std::vector<std::string>{"a dog", "a cat"});
}

TEST_CASE("a feature without a direction is near to no caption and changes nothing for others") {
  const TestFolder folder;
  write_memory(folder, R"(["a dog", "a cat"])", axes({0, 1}));
  const auto memory = CaptionMemory::open(folder.path());
  at::Tensor features = at::zeros({3, 4});
  features[1][1] = 2;
  features[2][0] = std::numeric_limits<float>::infinity();
  const auto near = memory->nearest(features, 1);
  REQUIRE(near.size() == 3);
  CHECK(near[0].empty());
  CHECK(texts_of(near[1]) == std::vector<std::string>{"a cat"});
  CHECK(near[2].empty());
  CHECK(memory->nearest(at::zeros({0, 4}), 1).empty());
}

TEST_CASE("scene graphs stay with their captions when rows of zeros are left out") {
  const TestFolder folder;
  at::Tensor embeddings = axes({0, 1, 2});
  embeddings[1].zero_();
  write_memory(folder, R"(["a dog", "never", "a cat"])", embeddings);
  folder.write("memory_scene_graphs.json", R"json(["( dog )", "( never )", "( cat )"])json");
  const auto memory = CaptionMemory::open(folder.path());
  CHECK(memory->bank().texts() == std::vector<std::string>{"a dog", "a cat"});
  CHECK(memory->scene_graph(1) == "( cat )");
}

TEST_CASE("what is not of one memory is refused with files and numbers") {
  const TestFolder folder;
  write_memory(folder, R"(["a dog", "a cat"])", axes({0, 1, 2}));
  const std::string counts = refusal(ErrorKind::data, folder.path());
  mentions(counts, "memory_captions.json: there are 2 captions");
  mentions(counts, "memory_clip_embeddings.safetensors has 3 rows");

  write_memory(folder, R"(["a dog", "a cat"])", axes({0, 1}));
  folder.write("memory_scene_graphs.json", R"json(["( dog )"])json");
  const std::string graphs = refusal(ErrorKind::data, folder.path());
  mentions(graphs, "memory_scene_graphs.json: there are 1 scene graphs");
  mentions(graphs, "memory_captions.json has 2");

  folder.write("memory_scene_graphs.json", "{}");
  mentions(refusal(ErrorKind::data, folder.path()), "memory_scene_graphs.json");

  write_memory(folder, R"(["", ""])", axes({0, 1}));
  std::filesystem::remove(folder / "memory_scene_graphs.json");
  mentions(refusal(ErrorKind::data, folder.path()), "none of the memory's 2 captions has any text");

  const TestFolder other;
  mentions(refusal(ErrorKind::io, other.path()), "no memory_captions.json");
  other.write("memory_captions.json", "[]");
  mentions(refusal(ErrorKind::io, other.path()), "memory_clip_embeddings.pt");
  write_safetensors(other / "memory_clip_embeddings.safetensors", {{"a", axes({0})}, {"b", axes({0})}});
  mentions(refusal(ErrorKind::checkpoint, other.path()), "one tensor with a row a caption");
}

}  // namespace
}  // namespace patchioner
