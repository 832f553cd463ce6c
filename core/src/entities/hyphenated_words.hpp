// Words joined by hyphens, as the rules of this folder read them.
#pragma once

#include <cstddef>
#include <string_view>

namespace patchioner {

/// Length of `L+(-L+)*` at the start of a text, L being what `is_letter` takes, or 0.
template <class Character, class IsLetter>
size_t hyphenated_length(std::basic_string_view<Character> text, IsLetter is_letter) {
  size_t length = 0;
  while (true) {
    const size_t begin = length == 0 ? 0 : length + 1;  // behind the hyphen
    size_t end = begin;
    while (end < text.size() && is_letter(static_cast<char32_t>(text[end]))) {
      ++end;
    }
    if (end == begin || begin > text.size()) {
      return length;
    }
    length = end;
    if (length == text.size() || text[length] != static_cast<Character>('-')) {
      return length;
    }
  }
}

}  // namespace patchioner
