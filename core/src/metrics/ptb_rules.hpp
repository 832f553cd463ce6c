// The lexical rules of the Penn Treebank tokenizer that caption scores are computed with: CoreNLP 3.4.1's,
// with tokens for line ends (spec/05 section 2.2). Notation: lexical_pattern.hpp.
#pragma once

#include <span>
#include <string_view>

namespace patchioner {

/// What a rule makes of the text it matched.
enum class PtbAction {
  keep,             ///< the text
  soft_hyphens,     ///< the text without U+00AD; a hyphen when nothing is left
  give_back_2,      ///< the text without its last two units, which are read again
  give_back_3,      ///< the same with three
  no_break_spaces,  ///< spaces become U+00A0
  emit,             ///< `token`
  ampersand,        ///< "&amp;" becomes "&"
  left_quote,       ///< quotation marks become ` and ``
  right_quote,      ///< quotation marks become ' and ''
  money,            ///< signs of currencies become words and signs of ASCII
  fraction,         ///< signs such as U+00BD become "1/2"
  brackets,         ///< spaces become U+00A0, brackets "-LRB-" and "-RRB-"
  hyphens,          ///< three or four become two
  dot_of_acronym,   ///< "I." gives "I" and "." apart; "U.S." is kept, and its last dot comes once more
  dot_twice,        ///< the text with its last dot, which comes once more
  line_end,         ///< the line ends
  drop,             ///< no token
};

/// Where several rules match, the longest match of `pattern` and `ahead` together counts, and of equal ones
/// the first rule. The token is the longest beginning that matches `pattern` and leaves a match of `ahead`.
struct PtbRule {
  PtbAction action;
  const char* pattern;
  const char* ahead = nullptr;  ///< must follow, and is no part of the token
  const char* token = nullptr;  ///< of PtbAction::emit
};

struct PtbName {
  const char* name;
  const char* meaning;
};

/// In the order in which they are tried.
std::span<const PtbRule> ptb_rules();

/// Patterns that rules and later ones of these name.
std::span<const PtbName> ptb_patterns();

/// Sets of code units that patterns name: entries "41" and "41-5a" (hexadecimal) between spaces and line
/// ends. They are what the tokenizer takes for letters and digits, which is older than today's Unicode.
std::span<const PtbName> ptb_unit_sets();

}  // namespace patchioner
