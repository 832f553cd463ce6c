// The cleaning that CLIP's reference tokenizer gives a text before it is split (spec/02 sections 10.2
// and 10.3).
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// How much of the cleaning is done.
enum class TextClean {
  full,   ///< everything
  basic,  ///< everything but the repair of text that was read with the wrong character set
  none,   ///< only character references, white space and case
};

/// Whether cleaning can change nothing but white space and case: printable ASCII without an ampersand.
bool is_plain(std::string_view text);

/// The text cleaned, with runs of white space collapsed to one space and trimmed, in lower case: what is
/// split into pieces. Ill-formed UTF-8 is replaced. Never fails. [any-thread]
std::u32string clean_code_points(std::string_view text, TextClean level);

/// The same as UTF-8.
std::string clean_text(std::string_view text, TextClean level);

}  // namespace patchioner
