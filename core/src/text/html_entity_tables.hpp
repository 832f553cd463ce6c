// The table behind html_entities.hpp.
#pragma once

namespace patchioner::html_entity_tables {

extern const char* const kNames;
extern const char* const kCapitalisedNames;

}  // namespace patchioner::html_entity_tables
