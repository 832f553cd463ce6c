// Texts split at white space.
#pragma once

#include <string_view>

#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {

/// Calls `use(word)` for each run of what is not white space (Unicode's, and U+001C to U+001F): Python's
/// str.split().
template <class Use>
void for_each_word(std::string_view text, Use&& use) {
  size_t begin = std::string_view::npos;  // of the word in work
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    size_t length = 1;
    bool is_space = byte == ' ' || (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x1c && byte <= 0x1f);
    if (byte >= 0xc0) {
      while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80) {
        ++length;
      }
      const std::u32string character = decode_utf8(text.substr(at, length));
      is_space = character.size() == 1 && is_trimmed(character[0]);
    }
    if (is_space && begin != std::string_view::npos) {
      use(text.substr(begin, at - begin));
      begin = std::string_view::npos;
    } else if (!is_space && begin == std::string_view::npos) {
      begin = at;
    }
    at += length;
  }
  if (begin != std::string_view::npos) {
    use(text.substr(begin));
  }
}

}  // namespace patchioner
