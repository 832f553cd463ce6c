// UTF-8 that lost single bytes on its way through programs that took it for another character set (spec/02
// section 10.3, step b).
#pragma once

#include <optional>
#include <string>

namespace patchioner {

/// Gives sequences that lost the byte A0 to a space it back.
std::string restore_lost_spaces(const std::string& text);

/// Puts the UTF-8 of U+FFFD where a byte of a sequence was lost to 1A or to a question mark.
std::string mark_lost_bytes(const std::string& text);

/// The characters, or nothing when the bytes are ill-formed. Bytes that hold C0 or ED may also hold C0 80 for
/// U+0000 and a character as two surrogates of three bytes each.
std::optional<std::u32string> decode_liberal_utf8(const std::string& bytes);

}  // namespace patchioner
