#include "support/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchioner {

size_t edit_distance(std::string_view left, std::string_view right) {
  // The restricted Damerau-Levenshtein distance, three rows at a time.
  std::vector<size_t> before(right.size() + 1);
  std::vector<size_t> previous(right.size() + 1);
  std::vector<size_t> current(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) {
    previous[j] = j;
  }
  for (size_t i = 1; i <= left.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[right.size()];
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < std::max(name.size(), candidate.size())) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kMostListed = 12;
  if (candidates.empty()) {
    return {};
  }
  if (const std::string best = nearest_name(name, candidates); !best.empty()) {
    return fmt::format("; did you mean '{}'?", best);
  }
  std::string list;
  for (size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i) {
    list += (i == 0 ? "" : ", ") + candidates[i];
  }
  if (candidates.size() > kMostListed) {
    list += fmt::format(" and {} more", candidates.size() - kMostListed);
  }
  return "; known are: " + list;
}

}  // namespace patchioner
