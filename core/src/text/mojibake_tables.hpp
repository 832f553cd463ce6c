// The tables behind mojibake.hpp; see the source file for how they are written.
#pragma once

namespace patchioner::mojibake_tables {

extern const char* const kClasses;
extern const char* const kBadnessRules;
extern const char* const kCodecs;
extern const char* const kUtf8Clues;

}  // namespace patchioner::mojibake_tables
