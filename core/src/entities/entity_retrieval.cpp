#include "entities/entity_retrieval.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <patchioner/error.hpp>

#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

/// Probabilities held at once: 64 MB of them.
constexpr int64_t kMostProbabilities = int64_t{1} << 24;

void check(const EntityRetrievalOptions& options) {
  if (!(options.temperature > 0)) {
    throw Error(ErrorKind::config, "the temperature of entity retrieval is {}, but must be above 0",
                options.temperature);
  }
  if (options.top_k < 1) {
    throw Error(ErrorKind::config, "top_k of entity retrieval is {}, but must be at least 1", options.top_k);
  }
}

/// The `count` largest of a row of probabilities; of equal ones the first.
std::vector<EntityMatch> largest(const float* row, int64_t length, size_t count) {
  std::vector<EntityMatch> best;
  best.reserve(count + 1);
  for (int64_t index = 0; index < length; ++index) {
    if (best.size() == count && row[index] <= best.back().probability) {
      continue;
    }
    const EntityMatch match{index, row[index]};
    best.insert(std::upper_bound(best.begin(), best.end(), match,
                                 [](const EntityMatch& left, const EntityMatch& right) {
                                   return left.probability > right.probability;
                                 }),
                match);
    if (best.size() > count) {
      best.pop_back();
    }
  }
  return best;
}

}  // namespace

size_t above_threshold(const std::vector<EntityMatch>& matches, const EntityRetrievalOptions& options) {
  const auto first_below = std::find_if(matches.begin(), matches.end(), [&](const EntityMatch& match) {
    return match.probability < static_cast<float>(options.threshold);
  });
  return static_cast<size_t>(first_below - matches.begin());
}

EntityRetriever::EntityRetriever(std::vector<std::string> names, const at::Tensor& embeddings,
                                 std::string place)
    : names_(std::move(names)), place_(std::move(place)) {
  if (embeddings.dim() != 2 || embeddings.size(0) != static_cast<int64_t>(names_.size()) || names_.empty()) {
    throw Error(ErrorKind::data, "{}: there are {} names, but embeddings of the shape [{}]", place_,
                names_.size(), fmt::join(embeddings.sizes(), ","));
  }
  embeddings_ = unit_rows(embeddings.to(at::kFloat));  // [M,D]
}

std::vector<std::vector<EntityMatch>> EntityRetriever::nearest(const at::Tensor& features,
                                                               const EntityRetrievalOptions& options) const {
  check(options);
  if (features.dim() != 2 || features.size(1) != dim()) {
    throw Error(ErrorKind::data,
                "{}: the entity embeddings are {} wide, but the features have the shape [{}]; embeddings and "
                "backbone must belong together",
                place_, dim(), fmt::join(features.sizes(), ","));
  }
  const auto count = static_cast<int64_t>(names_.size());
  const at::Tensor units = unit_rows(features.to(embeddings_.device(), at::kFloat));  // [R,D]
  const int64_t at_once = std::max<int64_t>(1, kMostProbabilities / count);
  std::vector<std::vector<EntityMatch>> matches;
  for (int64_t begin = 0; begin < units.size(0); begin += at_once) {
    const at::Tensor rows = units.slice(0, begin, begin + at_once);  // [r,D]
    const at::Tensor probabilities =
        at::softmax(at::matmul(rows, embeddings_.t()) / options.temperature, -1).to(at::kCPU);  // [r,M]
    const at::Tensor finite = at::isfinite(rows).all(1).to(at::kCPU);                           // [r]
    for (int64_t row = 0; row < rows.size(0); ++row) {
      matches.emplace_back();
      if (finite[row].item<bool>()) {
        matches.back() = largest(probabilities.const_data_ptr<float>() + row * count, count,
                                 static_cast<size_t>(std::min(options.top_k, count)));
      }
    }
  }
  return matches;
}

std::vector<std::vector<EntityMatch>> EntityRetriever::retrieve(const at::Tensor& features,
                                                                const EntityRetrievalOptions& options) const {
  std::vector<std::vector<EntityMatch>> matches = nearest(features, options);
  for (std::vector<EntityMatch>& row : matches) {
    row.resize(above_threshold(row, options));
  }
  return matches;
}

std::vector<std::string> EntityRetriever::names_of(const std::vector<EntityMatch>& matches) const {
  std::vector<std::string> found;
  for (const EntityMatch& match : matches) {
    found.push_back(names_[static_cast<size_t>(match.index)]);
  }
  return found;
}

std::string hard_prompt(const std::vector<std::string>& entities) {
  return fmt::format("There are {} in image.",
                     entities.empty() ? "something" : fmt::to_string(fmt::join(entities, ", ")));
}

}  // namespace patchioner
