// From the captions that a region came near to, to the concepts that they agree on: scene graphs, read and
// united, similar names merged, rare ones dropped (spec/04 sections 11.3 and 11.4).
#pragma once

#include <functional>
#include <patchioner/gap.hpp>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "entities/concepts.hpp"
#include "entities/name_similarity.hpp"
#include "entities/scene_graph.hpp"

namespace patchioner {

/// The scene graph of a memory's caption, as a parser writes it.
using CaptionParser = std::function<std::string(const MemoryMatch& caption)>;

struct FoundConcepts {
  std::vector<Concept> concepts;   ///< all of them, in the order of their places in the captions
  std::vector<std::string> texts;  ///< of those that a prompt names, the first `max_concepts`
  std::vector<bool> naming;        ///< for each caption, whether it names one of these
};

/// Captions are parsed once and their graphs kept; at a bound all are forgotten. [any-thread]
class ConceptFinder {
 public:
  /// `parse` is called with one caption of one memory at a time; threads may call it at once.
  /// The threshold of `options` is that of the names given to `find`. Graphs are of some 1000 bytes each: the
  /// most that are kept take 16 MB by default.
  ConceptFinder(CaptionParser parse, ConceptOptions options, size_t most_graphs = 16384)
      : parse_(std::move(parse)), options_(std::move(options)), most_graphs_(most_graphs) {}

  /// Of captions in the order in which they were retrieved. Names whose similarity is above `threshold` are
  /// one thing.
  FoundConcepts find(std::span<const MemoryMatch> captions, const NameSimilarity& names,
                     double threshold) const;

 private:
  SceneGraph graph_of(const MemoryMatch& caption) const;

  CaptionParser parse_;
  ConceptOptions options_;
  size_t most_graphs_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<int64_t, SceneGraph> graphs_;  // by row of the memory
};

}  // namespace patchioner
