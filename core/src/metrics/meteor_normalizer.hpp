// METEOR's own preparation of texts: punctuation set apart, words in lower case (spec/05 section 4.2).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// Words that keep the dot behind them.
struct NonbreakingPrefixes {
  std::set<std::string, std::less<>> always;
  std::set<std::string, std::less<>> before_digits;  ///< only where the next word begins with a digit

  /// The English ones that METEOR 1.5 ships.
  static NonbreakingPrefixes english();

  /// METEOR's file: a word a line, behind it #NUMERIC_ONLY# where that holds; lines with # at the beginning
  /// are comments.
  static NonbreakingPrefixes parse(std::string_view content);
};

/// The words of a text as METEOR 1.5 compares them (option -norm, then lower case). Never fails.
std::vector<std::string> meteor_words_of(std::string_view text, const NonbreakingPrefixes& prefixes);

}  // namespace patchioner
