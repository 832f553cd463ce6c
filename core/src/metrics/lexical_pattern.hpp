// Patterns of lexical rules over UTF-16 code units, and the automata that match them.
//
// Notation: \uXXXX one unit; \t \n \r \f; \ before a sign: that sign; [...] a set, [^...] its complement, [^]
// any unit; ( | ) * + ? {m} {m,n} as usual; <NAME> another pattern or a set. A letter outside of a set
// matches both cases (with i and I also U+0130 and U+0131, with s and S U+017F, with k and K U+212A); inside
// of one it is exact. In a set a-b is a range, unless - is the first or last character.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// Sorted, disjoint ranges of code units, ends included.
using UnitRanges = std::vector<std::pair<char16_t, char16_t>>;

/// A pattern, parsed.
struct LexicalPattern {
  enum class Kind { set, sequence, choice, repeat };
  explicit LexicalPattern(Kind kind_of = Kind::sequence, size_t set_index = 0)
      : kind(kind_of), set(set_index) {}

  Kind kind;
  size_t set;                            ///< set: its index in the grammar
  std::vector<LexicalPattern> children;  ///< sequence, choice: the parts; repeat: one
  size_t least = 0;                      ///< repeat
  std::optional<size_t> most;            ///< repeat; none: without end

  /// The number of units of every match, when all have the same.
  std::optional<size_t> fixed_length() const;
};

/// Named sets and patterns, and every set that a pattern uses. Tables of the project's own are parsed: what
/// is wrong in one throws an Error of kind internal.
class LexicalGrammar {
 public:
  void name_set(const std::string& name, UnitRanges ranges);
  void name_pattern(const std::string& name, std::string_view pattern);
  LexicalPattern parse(std::string_view pattern);

  const std::vector<UnitRanges>& sets() const { return sets_; }

 private:
  friend class LexicalParser;
  size_t add_set(UnitRanges ranges);
  std::vector<UnitRanges> sets_;
  std::map<UnitRanges, size_t> indices_;
  std::map<std::string, LexicalPattern, std::less<>> named_;
};

}  // namespace patchioner
