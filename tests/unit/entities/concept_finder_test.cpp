// From retrieved captions to concepts: parsed once, counted, and said which captions had a part in it.
#include "entities/concept_finder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "entities/name_vectors.hpp"

namespace patchioner {
namespace {

/// Names are alike when they begin with the same letter.
std::unique_ptr<NameSimilarity> by_first_letter() {
  return encoder_similarity([](std::span<const std::string> names) {
    at::Tensor rows = at::zeros({static_cast<int64_t>(names.size()), 26});
    for (size_t i = 0; i < names.size(); ++i) {
      rows[static_cast<int64_t>(i)][names[i].front() - 'a'] = 1;
    }
    return rows;
  });
}

MemoryMatch caption(const std::string& text, int64_t row) {
  return {text, 0.5, 0.1, row};
}

TEST_CASE("a caption that is retrieved again is not parsed again") {
  std::atomic<int> parsed = 0;
  const ConceptFinder finder(
      [&](const MemoryMatch& match) {
        ++parsed;
        return "( " + match.text + " )";
      },
      {.min_count = 2});
  const auto names = by_first_letter();
  const std::vector<MemoryMatch> first = {caption("dog", 0), caption("cat", 1)};
  const std::vector<MemoryMatch> second = {caption("cat", 1), caption("cat", 2), caption("dog", 0)};
  CHECK(finder.find(first, *names, 0.5).texts.empty());
  CHECK(parsed == 2);
  CHECK(finder.find(second, *names, 0.5).texts == std::vector<std::string>{"cat"});
  CHECK(finder.find(first, *names, 0.5).texts.empty());
  CHECK(parsed == 3);
}

TEST_CASE("behind the bound of graphs captions that are retrieved again are still parsed once") {
  int parsed = 0;
  const ConceptFinder finder(
      [&](const MemoryMatch& match) {
        ++parsed;
        return "( " + match.text + " )";
      },
      {.min_count = 1}, /*most_graphs=*/2);
  const auto names = by_first_letter();
  const auto find = [&](int64_t row) {
    const std::vector<MemoryMatch> captions = {caption("dog", row)};
    CHECK(finder.find(captions, *names, 0.5).texts == std::vector<std::string>{"dog"});
    return parsed;
  };
  (void)find(0);
  CHECK(find(1) == 2);
  CHECK(find(2) == 3);
  CHECK(find(2) == 3);
  CHECK(find(1) == 4);
  CHECK(find(2) == 4);
}

TEST_CASE("concepts of several threads at once are those of one") {
  const ConceptFinder finder([](const MemoryMatch& match) { return "( " + match.text + " )"; },
                             {.min_count = 1});
  const auto names = by_first_letter();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int64_t row = 0; row < 300; ++row) {
        const std::string name(1, static_cast<char>('a' + row % 26));
        const std::vector<MemoryMatch> captions = {caption(name, row)};
        wrong += finder.find(captions, *names, 0.5).texts == std::vector<std::string>{name} ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}

TEST_CASE("captions that name a concept of the prompt are told from the others, by merged names too") {
  const std::vector<std::string> graphs = {"( dog , is , red )", "( doggy )", "( dog , on , sofa )",
                                           "( tree , near , cat )", "( cat )"};
  const ConceptFinder finder([&](const MemoryMatch& match) { return graphs[static_cast<size_t>(match.row)]; },
                             {.min_count = 2, .attribute_min = 1, .max_concepts = 1});
  std::vector<MemoryMatch> captions;
  const std::vector<std::string> texts = {"A red dog", "A doggy", "A dog on a sofa", "A tree near a cat",
                                          "The small cat"};
  for (size_t row = 0; row < texts.size(); ++row) {
    captions.push_back(caption(texts[row], static_cast<int64_t>(row)));
  }
  const FoundConcepts found = finder.find(captions, *by_first_letter(), 0.5);
  REQUIRE(found.concepts.size() == 2);
  CHECK(found.concepts[0].text == "red dog");
  CHECK(found.concepts[0].node.captions == 3);
  CHECK(found.concepts[0].merged == std::vector<std::string>{"doggy"});
  CHECK(found.concepts[1].text == "cat");
  CHECK(found.texts == std::vector<std::string>{"red dog"});
  CHECK(found.naming == std::vector<bool>{true, true, true, false, false});
}

TEST_CASE("without captions there are no concepts") {
  const ConceptFinder finder([](const MemoryMatch&) { return std::string("( dog )"); }, {});
  const FoundConcepts found = finder.find({}, *by_first_letter(), 0.5);
  CHECK(found.concepts.empty());
  CHECK(found.texts.empty());
}

TEST_CASE("vectors of names are asked for once, all that are new at a time") {
  NameVectors vectors;
  std::vector<std::vector<std::string>> asked;
  const auto encode = [&](std::span<const std::string> names) {
    asked.emplace_back(names.begin(), names.end());
    std::vector<float> lengths;
    for (const std::string& name : names) {
      lengths.push_back(static_cast<float>(name.size()));
    }
    return at::tensor(lengths).unsqueeze(1);
  };
  const std::vector<std::string> known = {"tree"};
  vectors.keep(known, at::full({1, 1}, 7));
  const std::vector<std::string> first = {"a", "tree", "bb"};
  CHECK(at::equal(vectors.of(first, encode), at::tensor({1.0f, 7.0f, 2.0f}).unsqueeze(1)));
  const std::vector<std::string> second = {"bb", "ccc", "a"};
  CHECK(at::equal(vectors.of(second, encode), at::tensor({2.0f, 3.0f, 1.0f}).unsqueeze(1)));
  CHECK(asked == std::vector<std::vector<std::string>>{{"a", "bb"}, {"ccc"}});
}

TEST_CASE("a vocabulary of any length is kept, and of other names the last ones") {
  NameVectors vectors(/*most=*/2);
  std::vector<std::string> asked;
  const auto of = [&](const std::vector<std::string>& names) {
    asked.clear();
    return vectors.of(names, [&](std::span<const std::string> unknown) {
      asked.assign(unknown.begin(), unknown.end());
      return at::ones({static_cast<int64_t>(unknown.size()), 1});
    });
  };
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 20000; ++i) {
    vocabulary.push_back("name " + std::to_string(i));
  }
  vectors.keep(vocabulary, at::arange(20000, at::kFloat).unsqueeze(1));
  CHECK(of({"name 19999"}).item<float>() == 19999);
  CHECK(asked.empty());

  (void)of({"a", "b"});
  (void)of({"b", "name 3", "a"});
  CHECK(asked.empty());
  (void)of({"c"});
  CHECK(asked == std::vector<std::string>{"c"});
  CHECK(at::equal(of({"c", "a", "name 7"}), at::tensor({1.0f, 1.0f, 7.0f}).unsqueeze(1)));
  CHECK(asked == std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace patchioner
