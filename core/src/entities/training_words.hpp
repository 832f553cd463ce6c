// Words that ViECap's training treats on their own (spec/04 section 9.3).
#pragma once

#include <string>

namespace patchioner {

/// One of the eighteen words that a hard prompt calls "person".
bool is_person_word(const std::string& word);

/// A word of two or more characters that is no entity, such as "something" or "background". Case counts.
bool is_stop_word(const std::string& word);

}  // namespace patchioner
