// Entities that a region's feature is near to (spec/04 section 5).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace patchioner {

struct EntityRetrievalOptions {
  double temperature = 0.01;  ///< of the softmax over all names
  int64_t top_k = 3;          ///< at most so many, and no more than there are names
  double threshold = 0.4;     ///< the first one less probable than this, and all behind it, are dropped
};

/// A name by its place in the vocabulary, and its share of the softmax over all names.
struct EntityMatch {
  int64_t index;
  float probability;
};

/// How many of the matches of a feature, the most probable first, the threshold leaves.
size_t above_threshold(const std::vector<EntityMatch>& matches, const EntityRetrievalOptions& options);

/// Names and their embeddings. Immutable; may be shared by threads.
class EntityRetriever {
 public:
  /// `embeddings` [M,D] of any float type; `place` is the file that they come from, for messages. Throws an
  /// Error of kind data when they are not as many as the names.
  EntityRetriever(std::vector<std::string> names, const at::Tensor& embeddings, std::string place);

  /// For each feature [R,D] of any length its most probable names, the first one first, and of equal ones the
  /// one that comes first in the vocabulary, without regard to the threshold. A feature that is not finite
  /// has none. Throws an Error of kind data when the widths differ, and config for an option out of range.
  std::vector<std::vector<EntityMatch>> nearest(const at::Tensor& features,
                                                const EntityRetrievalOptions& options) const;

  /// Those of `nearest` that the threshold leaves.
  std::vector<std::vector<EntityMatch>> retrieve(const at::Tensor& features,
                                                 const EntityRetrievalOptions& options) const;

  const std::vector<std::string>& names() const { return names_; }
  /// The names of some matches.
  std::vector<std::string> names_of(const std::vector<EntityMatch>& matches) const;
  int64_t dim() const { return embeddings_.size(1); }

 private:
  std::vector<std::string> names_;
  at::Tensor embeddings_;  // [M,D] float32, rows of unit length
  std::string place_;
};

/// "There are dog, park in image." (spec/04 section 6); without entities "There are something in image.".
std::string hard_prompt(const std::vector<std::string>& entities);

}  // namespace patchioner
