// The look of the page and its few lines of script.
#pragma once

#include <string_view>

namespace patchioner {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace patchioner
