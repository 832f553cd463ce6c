// The character classes that GPT-2's and BERT's tokenizers ask for beside those of unicode.hpp.
#pragma once

namespace patchioner {

/// General category L* of Unicode 17.0, the version that GPT-2's reference splits with.
bool is_letter_of_17(char32_t code_point);

/// General category N* of Unicode 17.0.
bool is_number_of_17(char32_t code_point);

/// General category Mn: accents and other marks without a width of their own.
bool is_nonspacing_mark(char32_t code_point);

/// General category P*, and what else of ASCII is neither letter, digit, space nor control ("$", "+" ...).
bool is_bert_punctuation(char32_t code_point);

/// General categories Cc, Cf and Co but for tab and line ends: what BERT leaves out of a text.
bool is_bert_control(char32_t code_point);

}  // namespace patchioner
