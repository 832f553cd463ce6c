// Many names in one message.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

namespace patchioner {

/// "a, b, c, d, e and 3 more".
inline std::string some_names(std::vector<std::string> names) {
  constexpr size_t kMostNamed = 5;
  const size_t count = names.size();
  names.resize(std::min(count, kMostNamed));
  return count > kMostNamed ? fmt::format("{} and {} more", fmt::join(names, ", "), count - kMostNamed)
                            : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace patchioner
