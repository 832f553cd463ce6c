#include "metrics/embedding_scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

double length_of(std::span<const float> row) {
  return std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
}

/// Not a number for a row of zeros.
double cosine(std::span<const float> left, std::span<const float> right) {
  double product = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    product += double{left[i]} * double{right[i]};
  }
  return product / (length_of(left) * length_of(right));
}

EmbeddingScores summed_up(std::vector<double> values) {
  EmbeddingScores scores;
  for (double& value : values) {
    if (std::isnan(value)) {
      value = 0;
      ++scores.undefined;
    }
  }
  if (!values.empty()) {
    const auto count = static_cast<double>(values.size());
    scores.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values) {
      squares += (value - scores.mean) * (value - scores.mean);
    }
    scores.deviation = std::sqrt(squares / count);
  }
  scores.values = std::move(values);
  return scores;
}

void check_width(const EmbeddingRows& left, const EmbeddingRows& right) {
  if (left.width != right.width) {
    throw Error(ErrorKind::data,
                "embeddings of {} and of {} numbers cannot be compared; use one model for all", left.width,
                right.width);
  }
}

}  // namespace

EmbeddingScores image_text_scores(const EmbeddingRows& images, const EmbeddingRows& candidates,
                                  double weight) {
  check_width(images, candidates);
  if (images.rows() != candidates.rows()) {
    throw Error(ErrorKind::data, "{} image embeddings, but {} of candidates; each candidate needs its image",
                images.rows(), candidates.rows());
  }
  std::vector<double> values;
  for (size_t i = 0; i < candidates.rows(); ++i) {
    const double alike = cosine(images.row(i), candidates.row(i));
    values.push_back(alike < 0 ? 0 : weight * alike);
  }
  return summed_up(std::move(values));
}

EmbeddingScores reference_text_scores(const EmbeddingRows& candidates, const EmbeddingRows& references,
                                      std::span<const size_t> counts) {
  check_width(candidates, references);
  const size_t all = std::accumulate(counts.begin(), counts.end(), size_t{0});
  if (counts.size() != candidates.rows() || all != references.rows()) {
    throw Error(
        ErrorKind::data,
        "{} embeddings of candidates and {} of references do not fit {} numbers of references with the "
        "sum {}",
        candidates.rows(), references.rows(), counts.size(), all);
  }
  std::vector<double> values;
  size_t next = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    double best = std::nan("");
    for (size_t j = 0; j < counts[i]; ++j) {
      best = std::fmax(best, cosine(candidates.row(i), references.row(next++)));
    }
    values.push_back(best);
  }
  return summed_up(std::move(values));
}

EmbeddingScores harmonic_scores(const EmbeddingScores& image_text, const EmbeddingScores& reference_text) {
  if (image_text.values.size() != reference_text.values.size()) {
    throw Error(ErrorKind::internal, "{} scores of images and {} of references cannot be combined",
                image_text.values.size(), reference_text.values.size());
  }
  std::vector<double> values;
  for (size_t i = 0; i < image_text.values.size(); ++i) {
    const double left = image_text.values[i];
    const double right = reference_text.values[i];
    values.push_back(2 * left * right / (left + right));
  }
  return summed_up(std::move(values));
}

}  // namespace patchioner
