// Character references of HTML in captions (spec/02 section 10.3).
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// Replaces every character reference as a browser would: named ones with or without their semicolon, numeric
/// ones with the replacements of Windows-1252. One pass, so "&amp;lt;" becomes "&lt;".
std::u32string unescape_html(std::u32string_view text);

/// The careful variant of the first cleaning stage: only references with a semicolon; names written in
/// capitals are understood too.
std::u32string unescape_strict_html(std::u32string_view text);

}  // namespace patchioner
