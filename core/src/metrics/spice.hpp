// SPICE from tuples that a parser found: scene graphs with synonyms merged, matched, counted (spec/05
// section 7.2; Anderson et al. 2016). Parsing is not part of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "metrics/synonym_table.hpp"

namespace patchioner {

/// (object), (object, attribute) or (subject, object, relation).
using SpiceTuple = std::vector<std::string>;

/// All tuples of an image: those of its candidate, and those of all its references one behind the other.
struct SpiceItem {
  std::string id;
  std::vector<SpiceTuple> candidate;
  std::vector<SpiceTuple> references;
};

enum class SpiceCategory { all, object, attribute, relation, cardinality, color, size };
inline constexpr std::array<const char*, 7> kSpiceCategories = {
    "All", "Object", "Attribute", "Relation", "Cardinality", "Color", "Size"};

/// Not a number in a category (but not in `all`) that has no tuple of the references.
struct SpiceScore {
  double precision = 0;
  double recall = 0;
  double f = 0;
  int64_t true_positives = 0;
  int64_t false_positives = 0;
  int64_t false_negatives = 0;  ///< below 0 where several tuples match one of the references
};

/// A tuple of a merged graph: (object), (object, attribute) or (subject, relation, object), each as its words
/// joined by '/'.
struct SpiceGraphTuple {
  std::vector<std::string> parts;
  bool is_matched = false;  ///< one of the other side is like it; of the references, the first that is
};

struct SpiceResult {
  std::array<SpiceScore, kSpiceCategories.size()> scores;  ///< by SpiceCategory
  std::vector<SpiceGraphTuple> candidate;
  std::vector<SpiceGraphTuple> references;
};

/// Throws Error of kind data, naming the id, for a tuple that does not have one to three parts.
SpiceResult spice_score(const SpiceItem& item, const SynonymTable& synonyms);

}  // namespace patchioner
