// UTF-8 to code points and back.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

constexpr char32_t kReplacementCharacter = 0xfffd;

/// Code points of a text. What is ill-formed becomes U+FFFD, one for each maximal prefix of a well-formed
/// sequence and one for each byte that cannot stand there (spec/02 section 10.5). Never fails.
std::u32string decode_utf8(std::string_view text);

/// Appends one code point; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& text, char32_t code_point);

std::string encode_utf8(std::u32string_view text);

/// The text with everything ill-formed replaced as decode_utf8 does.
std::string well_formed_utf8(std::string_view text);

/// The byte of the first ill-formed sequence, or npos.
size_t first_ill_formed_utf8(std::string_view text);

}  // namespace patchioner
