// Texts as words of a shell's command line.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace patchioner {

/// In single quotes, whatever is in it.
inline std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char letter : text) {
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  }
  return quoted + "'";
}

/// As one would type it: quoted only where it has to be.
inline std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "_-+./,:@%";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80 && std::isalnum(byte) == 0 && kPlain.find(letter) == std::string_view::npos) {
      return shell_quoted(text);
    }
  }
  return text.empty() ? "''" : std::string(text);
}

}  // namespace patchioner
