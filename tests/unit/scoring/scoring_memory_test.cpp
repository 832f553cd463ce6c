#include "scoring/scoring_memory.hpp"

#include <doctest/doctest.h>

using namespace patchioner;

TEST_CASE("embeddings are made once while there is room, and those longest unused go first") {
  constexpr int64_t kRows = 10;
  ScoringMemory memory(2 * kRows * sizeof(float));
  std::vector<std::string> made;
  const auto ask = [&](const std::string& key) {
    return memory.embeddings(key, [&] {
      made.push_back(key);
      return at::full({kRows, 1}, static_cast<double>(made.size()), at::kFloat);
    });
  };
  CHECK(ask("a").sum().item<float>() == 10);
  CHECK(ask("b").sum().item<float>() == 20);
  CHECK(ask("a").sum().item<float>() == 10);
  ask("c");  // takes the place of b
  CHECK(ask("a").sum().item<float>() == 10);
  ask("b");
  CHECK(made == std::vector<std::string>{"a", "b", "c", "b"});
}

TEST_CASE("a list larger than all the room is kept until the next") {
  ScoringMemory memory(1);
  int made = 0;
  const auto ask = [&](const std::string& key) {
    memory.embeddings(key, [&] {
      ++made;
      return at::zeros({100, 4}, at::kFloat);
    });
  };
  ask("a");
  ask("a");
  CHECK(made == 1);
  ask("b");
  ask("a");
  CHECK(made == 3);
}

TEST_CASE("a key whose making fails is not remembered") {
  ScoringMemory memory;
  CHECK_THROWS_AS(memory.embeddings("a", []() -> at::Tensor { throw std::runtime_error("broken"); }),
                  std::runtime_error);
  CHECK(memory.embeddings("a", [] { return at::ones({1, 1}); }).item<float>() == 1);
}
