// Merging, filtering and ordering on groups of a few captions (spec/04 section 11.4); the golden case
// decoders/meacap_concepts has many more.
#include "entities/concepts.hpp"

#include "refusals.hpp"

namespace patchioner {
namespace {

using Names = std::vector<std::string>;

struct Group {
  Names captions;
  SceneGraph graph;

  explicit Group(const std::vector<std::pair<std::string, std::string>>& captions_and_graphs) {
    std::vector<SceneGraph> graphs;
    for (const auto& [caption, text] : captions_and_graphs) {
      captions.push_back(caption);
      graphs.push_back(read_scene_graph(text));
    }
    graph = unite_scene_graphs(graphs);
  }

  /// Concepts when the named pairs are alike.
  std::vector<Concept> concepts(const std::vector<std::pair<std::string, std::string>>& alike,
                                const ConceptOptions& options = {}) const {
    const auto count = static_cast<int64_t>(graph.size());
    const at::Tensor similarities = at::eye(count);
    const auto place = [&](const std::string& name) {
      for (size_t i = 0; i < graph.size(); ++i) {
        if (graph[i].name == name) {
          return static_cast<int64_t>(i);
        }
      }
      FAIL("no such name");
      return int64_t{0};
    };
    for (const auto& [left, right] : alike) {
      similarities.index_put_(
          {at::tensor({place(left), place(right)}), at::tensor({place(right), place(left)})},
          at::tensor(0.6f));
    }
    return find_concepts(graph, captions, similarities, options);
  }
};

Names texts_of(const std::vector<Concept>& concepts) {
  return concept_texts(concepts, {});
}

TEST_CASE(
    "things that three captions name are kept, in the order of their places, with what three say of them") {
  const Group group({{"a red bus near a dog", "( bus , is , red ) , ( bus , near , dog )"},
                     {"a dog and a red bus", "( dog , and , bus ) , ( bus , is , red ) , ( dog , is , old )"},
                     {"the red bus, a cat, a dog", "( bus , is , red ) , ( cat , and , dog )"}});
  const std::vector<Concept> concepts = group.concepts({});
  CHECK(texts_of(concepts) == Names{"red bus", "dog"});
  CHECK(concepts[0].position == doctest::Approx((6.0 / 20 + 16.0 / 19 + 8.0 / 25) / 3));
  CHECK(concepts[1].position == doctest::Approx((17.0 / 20 + 2.0 / 19 + 22.0 / 25) / 3));
}

TEST_CASE("similar names are one thing, told by the most frequent of them") {
  const Group group({{"a man walks", "( man )"},
                     {"a man runs", "( man )"},
                     {"a guy runs", "( guy , is , old )"},
                     {"one boy runs", "( boy , is , old )"}});
  CHECK(texts_of(group.concepts({})) == Names{});
  CHECK(texts_of(group.concepts({{"man", "guy"}})) == Names{"man"});
  const std::vector<Concept> chain = group.concepts({{"man", "guy"}, {"guy", "boy"}});
  REQUIRE(chain.size() == 1);
  CHECK(chain[0].node.captions == 3);  // the boy is like the guy, who is gone by then
  CHECK(chain[0].node.attributes == std::vector<std::pair<std::string, int64_t>>{{"old", 1}});
  CHECK(group.concepts({{"man", "guy"}, {"man", "boy"}})[0].node.captions == 4);
}

TEST_CASE("a name at the very start does not count as a place, but does with position_fix") {
  const Group group({{"dog in a woman", "( dog , in , man )"},
                     {"dog, man", "( dog , and , man )"},
                     {"dog man dog", "( dog , and , man )"}});
  const std::vector<Concept> concepts = group.concepts({});
  CHECK(texts_of(concepts) == Names{"man", "dog"});
  CHECK(concepts[0].position == doctest::Approx((11.0 / 14 + 5.0 / 8 + 4.0 / 11) / 3));  // "woman" too
  CHECK(concepts[1].position == 1.0);
  const std::vector<Concept> fixed = group.concepts({}, {.position_fix = true});
  CHECK(texts_of(fixed) == Names{"dog", "man"});
  CHECK(fixed[0].position == 0.0);
  CHECK(fixed[1].position == doctest::Approx((5.0 / 8 + 4.0 / 11) / 2));
}

TEST_CASE("only the first four enter the prompt, and captions that are empty count for nothing") {
  const std::string graph =
      "( ant , and , bee ) , ( bee , and , cat ) , ( cat , and , dog ) , ( dog , and , elk )";
  const Group group({{"", graph}, {"x ant bee cat dog elk", graph}, {"x ant bee cat dog elk", graph}});
  const std::vector<Concept> concepts = group.concepts({});
  CHECK(concepts.size() == 5);
  CHECK(texts_of(concepts) == Names{"ant", "bee", "cat", "dog"});
}

TEST_CASE("similarities are cosines, and must be those of the names") {
  const at::Tensor cosines = name_similarities(at::tensor({2.0f, 0.0f, 3.0f, 3.0f}).view({2, 2}));
  CHECK(cosines[0][1].item<double>() == doctest::Approx(0.70710678));
  CHECK(cosines[1][1].item<double>() == doctest::Approx(1.0));
  mentions(
      refusal_of(ErrorKind::data,
                 [&] { (void)find_concepts(read_scene_graph("( dog , on , hill )"), {}, at::eye(3), {}); }),
      "the captions name 2 things, but the similarities of names have the shape [3,3]");
}

}  // namespace
}  // namespace patchioner
