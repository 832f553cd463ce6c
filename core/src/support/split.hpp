// A line taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// The parts between the separators, empty ones included: always one more than there are separators.
inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace patchioner
