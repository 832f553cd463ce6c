// How alike names of things are, and above which similarity they are one thing: by the means that the section
// `meacap.names` asks for (spec/04 section 12.2).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <patchioner/backbone.hpp>
#include <string>
#include <vector>

#include "entities/caption_memory.hpp"
#include "entities/name_similarity.hpp"
#include "entities/name_vectors.hpp"
#include "meacap_options.hpp"

namespace patchioner {

/// The type that names are compared by; for `auto` the one that reads the files given, else table if the
/// memory has one, else backbone. Throws an Error of kind config for a file that this type does not read.
std::string type_of(const NamesSection& section, const CaptionMemory& memory);

/// [any-thread]
class NameMeasure {
 public:
  struct Result {
    std::shared_ptr<const NameSimilarity> similarity;  ///< valid as long as the backbone
    double threshold;
  };

  /// `similarity` is that of the section `meacap`, the type of `names` is not auto, `dim` the width of the
  /// features that the decoder of `weights` reads. `lexicon` may be null when the memory has scene graphs and
  /// names are not compared as words. A sentence encoder computes on `device`. Throws Error: config for
  /// sections that do not hold together, and what reading their files throws.
  NameMeasure(const Value& similarity, const NamesSection& names, const VocabularySection& vocabulary,
              const CaptionMemory& memory, const SceneGraphLexicon* lexicon, int64_t dim,
              const std::string& weights, at::Device device);

  /// With the backbone of a call, which is looked at only when names are compared in its space. The first
  /// such call encodes the vocabulary. Throws an Error of kind config when it is needed and has no text side.
  Result with(const Backbone* backbone) const;

 private:
  struct Space;  // what is known of a backbone's text space
  std::shared_ptr<Space> space_of(const Backbone& backbone) const;

  std::optional<double> threshold_;                   // when it does not depend on the backbone
  std::shared_ptr<const NameSimilarity> similarity_;  // likewise
  VocabularySection section_;
  std::vector<std::string> vocabulary_;  // what the threshold is found from, when it is not given
  at::Tensor embeddings_;                // [M,D] of it, when they are given
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Space> space_;
};

}  // namespace patchioner
