// The textual forms of pickle's early protocols: decimal numbers, escaped and quoted texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchioner {

/// An optional sign and digits, nothing else.
bool is_decimal(std::string_view digits);

/// The value of a decimal that fits; false otherwise.
bool parse_decimal(std::string_view digits, int64_t& value);

/// A number as Python's repr writes it, with inf and nan.
bool parse_float(std::string_view digits, double& value);

/// Eight bytes, most significant first.
double big_endian_double(std::string_view bytes);

/// Python's raw-unicode-escape (\uXXXX, \UXXXXXXXX, Latin-1 otherwise) as UTF-8; what is no character, such
/// as a surrogate, becomes U+FFFD.
std::string unescape_unicode(std::string_view line);

/// The content of a quoted Python 2 string with its backslash escapes; false when it is not quoted.
bool unquote_string(std::string_view line, std::string& content);

/// Bytes whose values are the code points of a UTF-8 text, as pickles of protocol 2 carry bytes ("latin1");
/// false when one is over 255.
bool latin1_bytes(std::string_view utf8, std::string& bytes);

}  // namespace patchioner
