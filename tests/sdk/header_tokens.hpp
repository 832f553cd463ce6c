// A header as the words and signs that it consists of, without comments and preprocessor lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sdk {

struct HeaderTokens {
  std::vector<std::string>
      tokens;  ///< "::", "->", "&&" and "..." are one each, every other sign stands alone
  std::vector<std::string> macros;  ///< "#define NAME ..." with one space between words, in order
};

/// Conditions are not evaluated: what stands on both sides of an #if counts as declared.
HeaderTokens read_tokens(std::string_view header);

/// Tokens as one line; spaces only where C++ or a reader needs them.
std::string join_tokens(const std::vector<std::string>& tokens);

/// Whether a token is a name, a keyword or a number.
bool is_word(const std::string& token);

}  // namespace sdk
