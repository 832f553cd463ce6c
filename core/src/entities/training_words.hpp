// Words that ViECap's training treats on their own (spec/04 section 9.3).
#pragma once

#include <string>

namespace patchioner {

/// One of the eighteen words that a hard prompt calls "person".
bool is_person_word(const std::string& word);

/// A function word of English, or a noun that speaks of the picture instead of what is in it, such as
/// "something" or "background". ViECap's own list also has rarer words ("bill", "mill", "system"), which a
/// vocabulary may leave out. Case counts.
bool is_stop_word(const std::string& word);

}  // namespace patchioner
