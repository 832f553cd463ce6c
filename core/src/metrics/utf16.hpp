// UTF-16 code units: what the Java tools count in whose results the metrics reproduce.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// The text in UTF-16; what is ill-formed becomes U+FFFD, as decode_utf8 does.
std::u16string to_utf16(std::string_view text);

/// Appends the units as UTF-8; half of a surrogate pair becomes U+FFFD.
void append_as_utf8(std::string& text, std::u16string_view units);

}  // namespace patchioner
