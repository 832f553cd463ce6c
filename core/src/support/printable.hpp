// Texts of files that nobody vouches for, on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// The text with '?' for every control character, so that none of it steers a terminal.
std::string printable(std::string_view text);

}  // namespace patchioner
