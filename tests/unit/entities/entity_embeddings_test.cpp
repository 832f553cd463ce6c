// Prompts, the vectors made from them, and files of vectors.
#include "entities/entity_embeddings.hpp"

#include <cmath>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

/// Gives each text (its number of letters, 1), and counts its calls.
struct LetterCounter {
  int calls = 0;
  EntityEncoder encoder(const std::string& fingerprint = "letters") {
    return {[this](std::span<const std::string> texts) {
              ++calls;
              std::vector<float> values;
              for (const std::string& text : texts) {
                values.insert(values.end(), {static_cast<float>(text.size()), 1.0f});
              }
              return at::tensor(values, at::kFloat).view({-1, 2});
            },
            fingerprint};
  }
};

TEST_CASE("a name stands in ViECap's seven templates, or in one sentence with its article") {
  CHECK(entity_prompts("dog", EntityPrompts::ensemble) ==
        std::vector<std::string>{"itap of a dog.", "a bad photo of the dog.", "a origami dog.",
                                 "a photo of the large dog.", "a dog in a video game.", "art of the dog.",
                                 "a photo of the small dog."});
  CHECK(entity_prompts("dog", EntityPrompts::single) == std::vector<std::string>{"A photo of a dog."});
  CHECK(entity_prompts("owl", EntityPrompts::single) == std::vector<std::string>{"A photo of an owl."});
}

TEST_CASE("an ensemble is the mean of unit vectors, brought to unit length") {
  LetterCounter counter;
  const at::Tensor rows = embed_entities({"dog", "horse"}, EntityPrompts::ensemble, counter.encoder());
  REQUIRE(rows.sizes() == at::IntArrayRef({2, 2}));
  double x = 0;
  double y = 0;
  for (const double length : {14, 23, 14, 25, 22, 15, 25}) {  // letters of the seven sentences with "dog"
    x += length / std::hypot(length, 1);
    y += 1 / std::hypot(length, 1);
  }
  CHECK(rows[0][0].item<double>() == doctest::Approx(x / std::hypot(x, y)));
  CHECK(rows[0][1].item<double>() == doctest::Approx(y / std::hypot(x, y)));
  CHECK(rows[1].norm().item<double>() == doctest::Approx(1.0));
}

TEST_CASE("with a single template the encoder's vector is kept as it is") {
  LetterCounter counter;
  const at::Tensor rows = embed_entities({"dog", "owl"}, EntityPrompts::single, counter.encoder());
  CHECK(at::equal(rows, at::tensor({17.0f, 1.0f, 18.0f, 1.0f}).view({2, 2})));
}

TEST_CASE("many names come out in their order, whatever is encoded at once") {
  LetterCounter counter;
  std::vector<std::string> names;
  for (int i = 0; i < 150; ++i) {
    names.push_back(std::string(static_cast<size_t>(i + 1), 'x'));
  }
  const at::Tensor rows = embed_entities(names, EntityPrompts::single, counter.encoder());
  CHECK(counter.calls > 1);
  CHECK(at::equal(rows.select(1, 0), at::arange(15, 165, at::kFloat)));
}

TEST_CASE("embeddings are computed once for the same names, prompts and encoder") {
  const TestFolder folder;
  LetterCounter counter;
  const std::vector<std::string> names = {"dog", "owl"};
  const auto get = [&](EntityPrompts prompts, const std::string& fingerprint) {
    return cached_entity_embeddings(folder / "cache", names, prompts, counter.encoder(fingerprint));
  };
  const at::Tensor first = get(EntityPrompts::ensemble, "a");
  CHECK(at::equal(get(EntityPrompts::ensemble, "a"), first));
  CHECK(counter.calls == 1);
  (void)get(EntityPrompts::ensemble, "b");
  (void)get(EntityPrompts::single, "a");
  CHECK(counter.calls == 3);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) {
    std::filesystem::resize_file(entry.path(), 20);
  }
  CHECK(at::equal(get(EntityPrompts::ensemble, "a"), first));
  CHECK(counter.calls == 4);
  CHECK(at::equal(get(EntityPrompts::ensemble, "a"), first));
  CHECK(counter.calls == 4);
}

TEST_CASE("a cache folder that cannot be written is warned of once, and the embeddings are given") {
  const TestFolder folder;
  LetterCounter counter;
  const auto cache = folder.write("file", "no folder") / "cache";
  std::vector<std::string> lines;
  const auto before = set_log_sink([&](LogLevel, const std::string& line) { lines.push_back(line); });
  for (int i = 0; i < 2; ++i) {
    const at::Tensor rows =
        cached_entity_embeddings(cache, {"dog", "owl"}, EntityPrompts::single, counter.encoder());
    CHECK(at::equal(rows, at::tensor({17.0f, 1.0f, 18.0f, 1.0f}).view({2, 2})));
  }
  set_log_sink(before);
  REQUIRE(lines.size() == 1);
  mentions(lines[0], cache.string());
  mentions(lines[0], "the embeddings of 2 names are not kept beyond this run");
}

TEST_CASE("an encoder that gives zeros or no numbers is refused with the names") {
  for (const float value : {0.0f, NAN}) {
    const EntityEncoder encoder{[value](std::span<const std::string> texts) {
                                  return at::full({static_cast<int64_t>(texts.size()), 3}, value, at::kFloat);
                                },
                                ""};
    mentions(refusal_of(ErrorKind::data,
                        [&] {
                          (void)embed_entities({"dog", "owl"}, EntityPrompts::ensemble, encoder);
                        }),
             "for one of the names 'dog' to 'owl'");
  }
}

TEST_CASE("a file of embeddings has a row a name, in any precision") {
  const TestFolder folder;
  const auto file = folder / "e.safetensors";
  write_safetensors(file, {{"embeddings", at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({2, 2}).to(at::kHalf)}});
  CHECK(
      at::equal(read_entity_embeddings(file, 2, "v.txt"), at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({2, 2})));
  mentions(refusal_of(ErrorKind::data, [&] { (void)read_entity_embeddings(file, 3, "v.txt"); }),
           "the embeddings have the shape [2,2], but v.txt has 3 names");
  write_safetensors(file, {{"other", at::ones({2, 2})}});
  CHECK(at::equal(read_entity_embeddings(file, 2, "v.txt"), at::ones({2, 2})));
  write_safetensors(file, {{"one", at::ones({2, 2})}, {"two", at::ones({2, 2})}});
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)read_entity_embeddings(file, 2, "v.txt"); }),
           "embeddings");
  write_safetensors(file, {{"embeddings", at::ones({2, 2}, at::kLong)}});
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)read_entity_embeddings(file, 2, "v.txt"); }),
           "embeddings are floating-point numbers");
  write_safetensors(file, {{"embeddings", at::full({2, 2}, INFINITY, at::kFloat)}});
  mentions(refusal_of(ErrorKind::data, [&] { (void)read_entity_embeddings(file, 2, "v.txt"); }),
           "not finite");
}

}  // namespace
}  // namespace patchioner
