// What a test looks for in texts that were written.
#pragma once

#include <string_view>

namespace patchioner {

/// How often the text has the part; occurrences may overlap.
inline size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace patchioner
