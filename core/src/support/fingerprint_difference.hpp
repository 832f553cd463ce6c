// Two text sides compared, in words.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// Where two fingerprints of text sides (Backbone::text_fingerprint) differ, with both values of each part:
/// "projection 5db3... there, 5f6e... here". Parts stand between commas, each with a name before its first
/// ':' or '='; fingerprints of other parts are shown whole. Empty when they are equal.
std::string fingerprint_difference(std::string_view there, std::string_view here);

}  // namespace patchioner
