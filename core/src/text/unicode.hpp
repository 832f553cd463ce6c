// The Unicode that tokenizers need: character classes, lower-casing, canonical composition. Letters and
// numbers are those of Unicode 16.0, the rest is 14.0, as in the reference tokenizer (spec/02 section 10.3).
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// General category L*.
bool is_letter(char32_t code_point);

/// General category N*.
bool is_number(char32_t code_point);

/// White_Space: what separates words and what a run of collapses to one space.
bool is_white_space(char32_t code_point);

/// What is taken off both ends of a text: white space and U+001C to U+001F.
bool is_trimmed(char32_t code_point);

/// A letter or number of Unicode 14.0, or an underscore: "word" in the rules that recognise broken text.
bool is_word_character(char32_t code_point);

/// The text in lower case: full mappings, the final sigma included.
std::u32string lower_case(std::u32string_view text);

/// The capital of a letter that has one of its own (simple mappings alone, so that U+00DF stays), or the
/// letter.
char32_t upper_case_letter(char32_t code_point);

/// Whether the text has letters with case, and all of them are capitals.
bool is_upper_case(std::u32string_view text);

/// Normalisation form D.
std::u32string decompose_canonically(std::u32string_view text);

/// Normalisation form C.
std::u32string compose_canonically(std::u32string text);

/// The text without what is_trimmed names at both ends.
std::u32string_view trim(std::u32string_view text);

}  // namespace patchioner
