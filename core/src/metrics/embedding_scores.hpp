// CLIP-S, PAC-S and their forms with references, from embeddings (spec/05 section 8; Hessel et al. 2021,
// Sarto et al. 2023).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace patchioner {

inline constexpr double kClipScoreWeight = 2.5;  // CLIP-S
inline constexpr double kPacScoreWeight = 2.0;   // PAC-S

/// Rows of equal width, one behind the other; they need not have unit length.
struct EmbeddingRows {
  std::span<const float> values;  ///< [rows,width]
  size_t width = 0;

  size_t rows() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const float> row(size_t index) const { return values.subspan(index * width, width); }
};

/// Scores of each candidate, and what had no value: a row of zeros, or a mean of zeros, scores 0.
struct EmbeddingScores {
  std::vector<double> values;  ///< [rows]
  double mean = 0;
  double deviation = 0;  ///< the population's standard deviation
  size_t undefined = 0;
};

/// weight * max(0, cosine of image and candidate), row by row. Throws Error of kind data when the shapes
/// differ.
EmbeddingScores image_text_scores(const EmbeddingRows& images, const EmbeddingRows& candidates,
                                  double weight);

/// The largest cosine of a candidate and one of its references, neither weighted nor cut at 0; `counts` of
/// the rows of `references` belong to each candidate. 0 without references. Throws as image_text_scores.
EmbeddingScores reference_text_scores(const EmbeddingRows& candidates, const EmbeddingRows& references,
                                      std::span<const size_t> counts);

/// The harmonic mean of both, row by row: RefCLIP-S of CLIP-S, RefPAC-S of PAC-S.
EmbeddingScores harmonic_scores(const EmbeddingScores& image_text, const EmbeddingScores& reference_text);

}  // namespace patchioner
