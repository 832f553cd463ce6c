// Scene graphs read field by field (spec/04 section 11.3).
#include "entities/scene_graph.hpp"

#include <doctest/doctest.h>

namespace patchioner {
namespace {

using Names = std::vector<std::string>;
using Attributes = std::vector<std::pair<std::string, int64_t>>;

Names names_of(const SceneGraph& graph) {
  Names names;
  for (const SceneNode& node : graph) {
    names.push_back(node.name);
  }
  return names;
}

TEST_CASE("brackets and commas stand alone, and the prompt goes") {
  CHECK(spaced_scene_graph(" (man,sit on ,bench),( man ,is,old )") ==
        "( man , sit on , bench ) , ( man , is , old )");
  CHECK(spaced_scene_graph("Generate Scene Graph: ( dog )") == "( dog )");
  CHECK(scene_graph_segments("( a , b ) , ( c )") == Names{"a , b", "c"});
  CHECK(scene_graph_segments("") == Names{""});
}

TEST_CASE("fields are attributes, relations, or a lone thing") {
  const SceneGraph graph =
      read_scene_graph("( dog , is , 3 ) , ( dog , red ) , ( dog , on , top of , hill ) , ( cat )");
  CHECK(names_of(graph) == Names{"dog", "hill"});
  CHECK(graph[0].attributes == Attributes{{"three", 1}, {"red", 1}});
  CHECK(graph[0].relations == Names{"hill"});
  CHECK(names_of(read_scene_graph("( cat )")) == Names{"cat"});
  CHECK(names_of(read_scene_graph("( dogs , number , 2 )")) == Names{"dogs", "two"});
}

TEST_CASE("what has no name is left out") {
  CHECK(read_scene_graph("").empty());
  CHECK(read_scene_graph("( , is , red ) , ( , )").empty());
  const SceneGraph graph = read_scene_graph("( dog , on , ) , ( dog , is , )");
  CHECK(names_of(graph) == Names{"dog"});
  CHECK(graph[0].attributes.empty());
  CHECK(graph[0].relations.empty());
}

TEST_CASE("united graphs count captions, the most frequent thing first") {
  const std::vector<SceneGraph> graphs = {
      read_scene_graph("( man , on , bench ) , ( man , is , old ) , ( man , is , old )"),
      read_scene_graph("( dog , near , bench ) , ( bench , is , red )"),
      read_scene_graph(
          "( dog , is , old ) , ( man , near , dog ) , ( man , is , tall ) , ( man , is , old )")};
  const SceneGraph graph = unite_scene_graphs(graphs);
  CHECK(names_of(graph) == Names{"man", "bench", "dog"});
  CHECK(graph[0].captions == 2);
  CHECK(graph[0].attributes == Attributes{{"old", 2}, {"tall", 1}});
  CHECK(graph[0].relations == Names{"bench", "dog"});
  CHECK(graph[2].relations == Names{"bench"});
}

}  // namespace
}  // namespace patchioner
