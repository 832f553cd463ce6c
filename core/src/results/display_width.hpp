// How wide a text stands in a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace patchioner {

/// Columns of a terminal: two for the wide letters of East Asia and pictures, none for marks that stand upon
/// the letter before (Unicode Standard Annex 11, with whatever it calls ambiguous as narrow).
size_t display_width(std::string_view utf8);

}  // namespace patchioner
