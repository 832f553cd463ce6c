// Concepts that several captions agree on: what a MeaCap prompt names (spec/04 section 11.4).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "entities/scene_graph.hpp"

namespace patchioner {

struct ConceptOptions {
  double similarity = 0.55;   ///< names whose cosine is above this are one thing
  int64_t min_count = 3;      ///< captions that must name a thing, merged names counted together
  int64_t attribute_min = 3;  ///< captions that must give an attribute
  int64_t max_concepts = 4;   ///< so many enter the prompt
  /// The reference passes over a name at the very start of a caption, and finds names inside of longer words;
  /// with this, neither.
  bool position_fix = false;
};

struct Concept {
  SceneNode node;                   ///< with the counts after merging
  double position;                  ///< mean place in the captions that name it, 0 to 1; 1 when none does
  std::string text;                 ///< "red bus": the first attribute that counts, and the name
  std::vector<std::string> merged;  ///< other names that count as this one
};

/// Products of rows brought to unit length: [n,D] -> [n,n].
at::Tensor name_similarities(const at::Tensor& embeddings);

/// The things of united graphs that are left after merging similar names and dropping rare ones, in the order
/// of their places in the captions; all of them, of which the prompt takes the first `max_concepts`.
/// `similarities` [n,n] are those of the graph's names in its order; the diagonal is not looked at. Throws an
/// Error of kind data when their size is another.
std::vector<Concept> find_concepts(const SceneGraph& graph, const std::vector<std::string>& captions,
                                   const at::Tensor& similarities, const ConceptOptions& options);

/// The texts of the first `max_concepts`.
std::vector<std::string> concept_texts(const std::vector<Concept>& concepts, const ConceptOptions& options);

}  // namespace patchioner
