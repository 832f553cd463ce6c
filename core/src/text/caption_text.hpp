// What decoded text goes through before it is a caption.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// Spaces and full stops taken off both ends, as the evaluation does (spec/01 section 6.1).
std::string strip_caption(std::string_view text);

}  // namespace patchioner
