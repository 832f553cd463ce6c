#include "entities/concept_finder.hpp"

#include <algorithm>
#include <mutex>

namespace patchioner {
namespace {

/// Whether a caption has one of the things that concepts stand for.
bool names_one_of(const SceneGraph& graph, std::span<const Concept> concepts) {
  return std::any_of(graph.begin(), graph.end(), [&](const SceneNode& node) {
    return std::any_of(concepts.begin(), concepts.end(), [&](const Concept& found) {
      return found.node.name == node.name ||
             std::find(found.merged.begin(), found.merged.end(), node.name) != found.merged.end();
    });
  });
}

}  // namespace

SceneGraph ConceptFinder::graph_of(const MemoryMatch& caption) const {
  {
    const std::shared_lock lock(mutex_);
    if (const auto known = graphs_.find(caption.row); known != graphs_.end()) {
      return known->second;
    }
  }
  SceneGraph graph = read_scene_graph(parse_(caption));
  const std::unique_lock lock(mutex_);
  if (graphs_.size() >= most_graphs_) {
    graphs_.clear();
  }
  graphs_.emplace(caption.row, graph);
  return graph;
}

FoundConcepts ConceptFinder::find(std::span<const MemoryMatch> captions, const NameSimilarity& names,
                                  double threshold) const {
  std::vector<SceneGraph> graphs;
  std::vector<std::string> texts;
  for (const MemoryMatch& caption : captions) {
    graphs.push_back(graph_of(caption));
    texts.push_back(caption.text);
  }
  const SceneGraph united = unite_scene_graphs(graphs);
  std::vector<std::string> things;
  for (const SceneNode& node : united) {
    things.push_back(node.name);
  }
  ConceptOptions options = options_;
  options.similarity = threshold;
  FoundConcepts found;
  found.concepts = find_concepts(united, texts, names.between(things), options);
  found.texts = concept_texts(found.concepts, options);
  const auto in_prompt = std::span(found.concepts).first(found.texts.size());
  for (const SceneGraph& graph : graphs) {
    found.naming.push_back(names_one_of(graph, in_prompt));
  }
  return found;
}

}  // namespace patchioner
