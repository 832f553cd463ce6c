// Each kind of name similarity on a few names, and the threshold that a space asks for.
#include "entities/name_similarity.hpp"

#include <cmath>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "unit/text/test_files.hpp"

namespace patchioner {
namespace {

double at_place(const at::Tensor& table, int64_t row, int64_t column) {
  return table[row][column].item<double>();
}

TEST_CASE("an encoder's vectors are compared by their cosines") {
  const auto similarity = encoder_similarity([](std::span<const std::string> names) {
    std::vector<float> values;
    for (const std::string& name : names) {
      values.insert(values.end(), {static_cast<float>(name.size()), 1.0f});
    }
    return at::tensor(values).view({-1, 2});
  });
  const at::Tensor table = similarity->between({"a", "b", "xxxxxxx"});
  CHECK(at_place(table, 0, 1) == doctest::Approx(1.0));
  CHECK(at_place(table, 0, 2) == doctest::Approx(0.8));  // (1,1) and (7,1)
  CHECK(similarity->between({}).numel() == 0);
}

TEST_CASE("a table gives the cosines of its rows in the order of its names, which need not be sorted") {
  const TestFolder folder;
  const auto names = folder.write("entity_names.txt", "tree\nDog\nhot dog\n");
  const auto vectors = folder / "e.safetensors";
  write_safetensors(vectors, {{"embeddings", at::tensor({1.0f, 0.0f, 3.0f, 4.0f, 0.0f, 2.0f}).view({3, 2})}});
  const auto similarity = table_similarity(names, vectors);
  const at::Tensor table = similarity->between({"hot dog", "Dog", "unknown", "tree", "other"});
  CHECK(at_place(table, 0, 1) == doctest::Approx(0.8));
  CHECK(at_place(table, 1, 3) == doctest::Approx(0.6));
  CHECK(at_place(table, 2, 1) == 0.0);
  CHECK(at_place(table, 2, 4) == 0.0);
  CHECK(at_place(table, 2, 2) == 1.0);
}

TEST_CASE("a table that does not hold together is refused") {
  const TestFolder folder;
  const auto vectors = folder / "e.safetensors";
  write_safetensors(vectors, {{"embeddings", at::ones({2, 2})}});
  const auto message_of = [&](const std::string& names) {
    return refusal_of(ErrorKind::data,
                      [&] { (void)table_similarity(folder.write("n.txt", names), vectors); });
  };
  mentions(message_of("a\nb\nc\n"), "the embeddings have the shape [2,2], but ");
  mentions(message_of("a\nb\na\n"), "n.txt:3: the name 'a' is there twice");
  mentions(message_of("a\n\n"), "n.txt:2: the name is empty");
  mentions(message_of(""), "n.txt: the table has no names");
}

TEST_CASE("names are alike by singular, alias or synonym") {
  const auto similarity = lexical_similarity(NounExtractor({}, {"dog", "box"}), {{"guy", "person"}},
                                             {{"sofa", "couch"}, {"bike", "bicycle", "cycle"}});
  const auto alike = [&](const std::string& left, const std::string& right) {
    const at::Tensor table = similarity->between({left, right});
    CHECK(at_place(table, 0, 1) == at_place(table, 1, 0));
    return at_place(table, 0, 1) == 1.0;
  };
  CHECK(alike("dogs", "dog"));
  CHECK(alike("red boxes", "red box"));
  CHECK_FALSE(alike("red boxes", "box"));
  CHECK(alike("guy", "person"));
  CHECK(alike("couch", "sofa"));
  CHECK(alike("cycle", "bike"));
  CHECK_FALSE(alike("couch", "bike"));
  CHECK_FALSE(alike("cats", "cat"));  // no known singular
}

TEST_CASE("the threshold is the mean and 3.6 deviations over all pairs") {
  // Cosines of the pairs: 0, 0.6, 0.8.
  const at::Tensor embeddings = at::tensor({2.0f, 0.0f, 0.0f, 1.0f, 3.0f, 4.0f}).view({3, 2});
  const double mean = 1.4 / 3;
  CHECK(similarity_threshold(embeddings, "v") ==
        doctest::Approx(mean + 3.6 * std::sqrt(1.0 / 3 - mean * mean)));
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        (void)similarity_threshold(at::ones({1, 2}), "v.txt");
                      }),
           "v.txt: the threshold of name similarity is found from a vocabulary of two or more names");
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        (void)similarity_threshold(at::zeros({3, 2}), "v.txt");
                      }),
           "not zero");
}

TEST_CASE("in the published spaces of the names of COCO it is what the specification says") {
  const auto folder = test::golden_folder("decoders/data");
  if (!folder) {
    return;
  }
  const StateDict file = StateDict::open(*folder / "coco_entity_embeddings.safetensors", "");
  CHECK(std::abs(similarity_threshold(file.tensor("t2d_vitb16"), "v") - 0.55) < 0.01);
  CHECK(std::abs(similarity_threshold(file.tensor("clip_vitb16"), "v") - 0.94) < 0.01);
}

}  // namespace
}  // namespace patchioner
