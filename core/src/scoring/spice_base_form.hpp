// Verbs without their endings: "sitting on", "sits on" and "sat on" are one relation to SPICE, which compares
// lemmas (spec/05 section 7.1).
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// What a verb in lower case is a form of, by a table of irregular verbs and the spelling of endings:
/// "riding" -> "ride", "carries" -> "carry". Words that look like no form of a verb stay as they are.
std::string verb_base_form(std::string_view word);

}  // namespace patchioner
