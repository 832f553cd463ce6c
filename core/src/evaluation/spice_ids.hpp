// Ids in messages.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

namespace patchioner {

/// "a, b, c, d, e and 3 more".
inline std::string some_ids(std::vector<std::string> ids) {
  constexpr size_t kMostIdsNamed = 5;
  const size_t count = ids.size();
  ids.resize(std::min(count, kMostIdsNamed));
  return count > kMostIdsNamed ? fmt::format("{} and {} more", fmt::join(ids, ", "), count - kMostIdsNamed)
                               : fmt::format("{}", fmt::join(ids, ", "));
}

}  // namespace patchioner
