// The tables behind unicode.hpp; see the source file for what each holds and for its Unicode version.
#pragma once

namespace patchioner::unicode_tables {

extern const char* const kLetters;
extern const char* const kNumbers;
extern const char* const kLettersAndNumbersSince14;
extern const char* const kCaseIgnorable;
extern const char* const kCased;
extern const char* const kLower;
extern const char* const kDecompositions;
extern const char* const kCompositionExclusions;
extern const char* const kCombiningClasses;

}  // namespace patchioner::unicode_tables
