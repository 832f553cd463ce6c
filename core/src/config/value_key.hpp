// Values as keys of maps.
#pragma once

#include <patchioner/value.hpp>
#include <string>

namespace patchioner {

/// Appends to `key` everything of a value that decides what it is completed to: its content, and of texts the
/// file that relative paths start from. Different values have different keys.
void append_key(const Value& value, std::string& key);

/// The same of a value by itself.
std::string key_of(const Value& value);

}  // namespace patchioner
