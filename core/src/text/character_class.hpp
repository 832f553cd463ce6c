// The classes of characters that byte-pair tokenizers split a text by, before pairs are merged.
#pragma once

#include "text/unicode.hpp"

namespace patchioner {

enum class CharacterClass { letter, number, space, other };

inline constexpr char32_t kAsciiEnd = 0x80;

/// Of a character below kAsciiEnd, where all tokenizers agree; beyond it each has tables of its own.
inline CharacterClass class_of_ascii(char32_t c) {
  if ((c | 0x20) >= U'a' && (c | 0x20) <= U'z') {
    return CharacterClass::letter;
  }
  return c >= U'0' && c <= U'9' ? CharacterClass::number
         : is_white_space(c)    ? CharacterClass::space
                                : CharacterClass::other;
}

}  // namespace patchioner
