// CLIP-S and its relatives (spec/05 section 8).
#include "metrics/embedding_scores.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"

namespace patchioner {
namespace {

TEST_CASE("cosines are weighted and cut at 0, lengths do not matter") {
  const std::vector<float> images = {2, 0, 0, 3, 1, 0, 0, 0};
  const std::vector<float> texts = {1, 1, 0, 5, -1, 0, 1, 0};
  const EmbeddingScores scores = image_text_scores({images, 2}, {texts, 2}, kClipScoreWeight);
  CHECK(scores.values[0] == doctest::Approx(2.5 / std::sqrt(2.0)));
  CHECK(scores.values[1] == doctest::Approx(2.5));
  CHECK(scores.values[2] == 0);
  CHECK(scores.values[3] == 0);
  CHECK(scores.undefined == 1);  // a row of zeros has no direction
}

TEST_CASE("the best reference counts, also below 0, and means are of the population") {
  const std::vector<float> texts = {1, 0, 0, 1};
  const std::vector<float> references = {0, 1, 1, 0, 0, -2};
  const std::vector<size_t> counts = {2, 1};
  const EmbeddingScores scores = reference_text_scores({texts, 2}, {references, 2}, counts);
  CHECK(scores.values == std::vector<double>{1, -1});
  CHECK(scores.mean == 0);
  CHECK(scores.deviation == 1);
}

TEST_CASE("the harmonic mean of zeros is 0 and counted") {
  const EmbeddingScores left{.values = {0.5, 0, 0}};
  const EmbeddingScores right{.values = {1, 0.5, 0}};
  const EmbeddingScores both = harmonic_scores(left, right);
  CHECK(both.values[0] == doctest::Approx(2.0 / 3));
  CHECK(both.values[1] == 0);
  CHECK(both.values[2] == 0);
  CHECK(both.undefined == 1);
}

TEST_CASE("rows that do not fit are refused") {
  const std::vector<float> two = {1, 2};
  const std::vector<float> four = {1, 2, 3, 4};
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        image_text_scores({two, 2}, {four, 4}, 1);
                      }),
           "of 2 and of 4 numbers");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        image_text_scores({two, 2}, {four, 2}, 1);
                      }),
           "1 image embeddings, but 2");
  const std::vector<size_t> counts = {2, 1};
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        reference_text_scores({four, 2}, {four, 2}, counts);
                      }),
           "with the sum 3");
}

}  // namespace
}  // namespace patchioner
