// Repairs text that was written as UTF-8 and read with a single-byte character set, as the cleaning of CLIP's
// reference tokenizer does (spec/02 section 10.3, step b).
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// Whether characters stand beside each other that rarely do in good text.
bool looks_broken(std::u32string_view text);

/// The repaired text; good text comes back as it is.
std::u32string repair_mojibake(std::u32string text);

}  // namespace patchioner
