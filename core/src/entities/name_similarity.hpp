// How alike two names of things are, by any of the means that spec/04 section 12 names: what decides which
// concepts are one.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "entities/scene_graph_lexicon.hpp"
#include "entities/training_entities.hpp"

namespace patchioner {

/// Immutable; may be shared by threads.
class NameSimilarity {
 public:
  virtual ~NameSimilarity() = default;
  /// [n,n] float32 on the CPU: 1 and nearly 1 for the same thing, the diagonal included.
  virtual at::Tensor between(const std::vector<std::string>& names) const = 0;
};

/// Cosines of the vectors that `encode` gives, [N,D] of any length: a sentence encoder's or a backbone's.
std::unique_ptr<NameSimilarity> encoder_similarity(
    std::function<at::Tensor(std::span<const std::string> names)> encode);

/// Cosines of vectors computed beforehand: a text file with a name a line, and embeddings whose rows are in
/// its order. A name that is not there is like no other, itself excepted, which is warned of once. Throws
/// Error: io, checkpoint, data (no names, one twice, rows that are not as many).
std::unique_ptr<NameSimilarity> table_similarity(const std::filesystem::path& names,
                                                 const std::filesystem::path& embeddings);

/// 1 for names whose last words have the same singular, for a word and its alias, and for names of one group
/// of synonyms; else 0.
std::unique_ptr<NameSimilarity> lexical_similarity(NounExtractor singulars, WordMap aliases,
                                                   std::vector<std::vector<std::string>> synonyms = {});

/// The cosine above which names are one thing in a space of other cosines than MiniLM's: mean and 3.6
/// standard deviations over the pairs of a vocabulary's embeddings [M,D] (spec/04 section 12.2). `place` is
/// the embeddings' file, for messages. Throws an Error of kind data for fewer than two names, or a row of
/// zeros.
double similarity_threshold(const at::Tensor& embeddings, const std::string& place);

}  // namespace patchioner
