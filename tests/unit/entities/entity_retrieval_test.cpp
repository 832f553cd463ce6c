// Retrieval on vectors whose cosines can be read off.
#include "entities/entity_retrieval.hpp"

#include <cmath>

#include "refusals.hpp"

namespace patchioner {
namespace {

using Names = std::vector<std::string>;

/// Rows of other lengths than 1: only their directions count.
EntityRetriever small() {
  return EntityRetriever({"ant", "bee", "cow"}, at::tensor({2.0f, 0.0f, 0.0f, 0.5f, 3.0f, 3.0f}).view({3, 2}),
                         "e.safetensors");
}

at::Tensor feature(float x, float y) {
  return at::tensor({x, y}).view({1, 2});
}

TEST_CASE("probabilities are the softmax of cosines over temperature, the largest first") {
  const auto matches = small().nearest(feature(7, 0), {.temperature = 0.5, .top_k = 2, .threshold = 0});
  REQUIRE(matches.size() == 1);
  REQUIRE(matches[0].size() == 2);
  const double ant = std::exp(1 / 0.5);
  const double cow = std::exp(std::sqrt(0.5) / 0.5);
  CHECK(matches[0][0].index == 0);
  CHECK(matches[0][0].probability == doctest::Approx(ant / (ant + cow + 1)));
  CHECK(matches[0][1].index == 2);
  CHECK(matches[0][1].probability == doctest::Approx(cow / (ant + cow + 1)));
}

TEST_CASE("the walk stops at the first name below the threshold, and equal names keep their order") {
  const EntityRetriever retriever = small();
  const auto found = [&](const at::Tensor& features, const EntityRetrievalOptions& options) {
    return retriever.names_of(retriever.retrieve(features, options)[0]);
  };
  CHECK(found(feature(0, 3), {.temperature = 0.01, .top_k = 3, .threshold = 0.4}) == Names{"bee"});
  CHECK(found(feature(0, 3), {.temperature = 100, .top_k = 9, .threshold = 0.3}) ==
        Names{"bee", "cow", "ant"});
  CHECK(found(feature(0, 3), {.temperature = 100, .top_k = 3, .threshold = 0.4}) == Names{});
  CHECK(found(feature(0, 0), {.temperature = 0.01, .top_k = 3, .threshold = 0.3}) ==
        Names{"ant", "bee", "cow"});
  CHECK(found(feature(1, 1), {.temperature = 0.5, .top_k = 3, .threshold = 0.1}) ==
        Names{"cow", "ant", "bee"});
}

TEST_CASE("a feature that is not finite has no names, and its neighbours keep theirs") {
  const at::Tensor features = at::cat({feature(NAN, 0), feature(0, 1), feature(INFINITY, 1)});
  const auto matches = small().nearest(features, {});
  REQUIRE(matches.size() == 3);
  CHECK(matches[0].empty());
  CHECK(matches[1][0].index == 1);
  CHECK(matches[2].empty());
}

TEST_CASE("more rows than are computed at once give the same as one by one") {
  constexpr int64_t kNames = 1 << 20;  // 16 rows at once
  Names names(static_cast<size_t>(kNames), "x");
  const EntityRetriever retriever(names, at::stack({at::ones({kNames}), at::arange(kNames, at::kFloat)}, 1),
                                  "e");
  const at::Tensor features = at::stack({at::ones({40}), at::arange(40, at::kFloat)}, 1);
  const auto matches = retriever.nearest(features, {.temperature = 1e-7, .top_k = 1, .threshold = 0});
  REQUIRE(matches.size() == 40);
  CHECK(matches[0][0].index == 0);
  CHECK(matches[3][0].index == 3);
  CHECK(matches[17][0].index == 17);
}

TEST_CASE("sizes that do not fit and options out of range are refused") {
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        (void)small().nearest(at::ones({1, 3}), {});
                      }),
           "e.safetensors: the entity embeddings are 2 wide, but the features have the shape [1,3]");
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        (void)EntityRetriever({"ant"}, at::ones({2, 2}), "e");
                      }),
           "e: there are 1 names, but embeddings of the shape [2,2]");
  mentions(refusal_of(ErrorKind::config, [] { (void)small().nearest(feature(1, 1), {.temperature = 0}); }),
           "temperature of entity retrieval is 0");
  mentions(refusal_of(ErrorKind::config, [] { (void)small().nearest(feature(1, 1), {.top_k = 0}); }),
           "top_k");
}

TEST_CASE("a hard prompt lists the names, or says something") {
  CHECK(hard_prompt({}) == "There are something in image.");
  CHECK(hard_prompt({"person"}) == "There are person in image.");
  CHECK(hard_prompt({"person", "hot dog", "park"}) == "There are person, hot dog, park in image.");
}

}  // namespace
}  // namespace patchioner
