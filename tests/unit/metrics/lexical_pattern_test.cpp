// Patterns of lexical rules, and the automata that match them.
#include "metrics/lexical_pattern.hpp"

#include <doctest/doctest.h>

#include "metrics/lexical_automaton.hpp"
#include "refusals.hpp"

namespace patchioner {
namespace {

/// The longest beginnings of texts that a pattern matches.
class Matcher {
 public:
  explicit Matcher(std::string_view pattern, bool reversed = false)
      : pattern_(grammar_.parse(pattern)),
        classes_(grammar_.sets()),
        automaton_({pattern_}, classes_, reversed) {}

  /// -1 when there is none.
  int longest(std::u16string_view text) {
    int length = -1;
    LexicalAutomaton::State state = automaton_.start();
    for (size_t at = 0;; ++at) {
      if (automaton_.accepted(state) != LexicalAutomaton::kNone) {
        length = static_cast<int>(at);
      }
      if (at == text.size() || state == LexicalAutomaton::kDead) {
        return length;
      }
      state = automaton_.next(state, text[at]);
    }
  }

 private:
  LexicalGrammar grammar_;
  LexicalPattern pattern_;
  UnitClasses classes_;
  LexicalAutomaton automaton_;
};

TEST_CASE("letters match both cases outside of a set and one inside") {
  Matcher matcher("is[k]");
  CHECK(matcher.longest(u"isk") == 3);
  CHECK(matcher.longest(u"ISk") == 3);
  CHECK(matcher.longest(u"\u0130\u017fk") == 3);
  CHECK(matcher.longest(u"isK") == -1);
  CHECK(Matcher("k").longest(u"\u212a") == 1);
}

TEST_CASE("sets have ranges, complements and signs") {
  CHECK(Matcher("[a-c\\u00e9-]+").longest(u"ab-\u00e9d") == 4);
  CHECK(Matcher("[^a-c]+").longest(u"\uffffxb") == 2);
  CHECK(Matcher("[^][^]").longest(u"\n\n\n") == 2);
  CHECK(Matcher("[\\]\\\\]+").longest(u"]\\]x") == 3);
}

TEST_CASE("parts repeat as often as they are told") {
  Matcher bounded("(ab){2,3}");
  CHECK(bounded.longest(u"ab") == -1);
  CHECK(bounded.longest(u"abab") == 4);
  CHECK(bounded.longest(u"abababab") == 6);
  CHECK(Matcher("a{2}").longest(u"aaa") == 2);
  CHECK(Matcher("a*b?").longest(u"aaab") == 4);
  CHECK(Matcher("a*b?").longest(u"c") == 0);
  CHECK(Matcher("(a|bc)+d").longest(u"abcad") == 5);
}

TEST_CASE("a pattern is matched from its end when it is reversed") {
  Matcher reversed("ab(c|de)", true);
  CHECK(reversed.longest(u"cba") == 3);
  CHECK(reversed.longest(u"edba") == 4);
  CHECK(reversed.longest(u"abc") == -1);
}

TEST_CASE("a pattern knows the length that all of its matches have") {
  LexicalGrammar grammar;
  CHECK(grammar.parse("ab[c](d|e)").fixed_length() == 4);
  CHECK(grammar.parse("a{3}").fixed_length() == 3);
  CHECK(grammar.parse("").fixed_length() == 0);
  CHECK_FALSE(grammar.parse("a|bc").fixed_length().has_value());
  CHECK_FALSE(grammar.parse("a?").fixed_length().has_value());
}

TEST_CASE("of patterns that end at one place the first is accepted") {
  LexicalGrammar grammar;
  const std::vector<LexicalPattern> patterns = {grammar.parse("ab"), grammar.parse("a[a-z]")};
  const UnitClasses classes(grammar.sets());
  LexicalAutomaton automaton(patterns, classes, false);
  const auto after_a = automaton.next(automaton.start(), u'a');
  CHECK(automaton.accepted(after_a) == LexicalAutomaton::kNone);
  CHECK(automaton.accepted(automaton.next(after_a, u'b')) == 0);
  CHECK(automaton.accepted(automaton.next(after_a, u'c')) == 1);
  CHECK(automaton.next(after_a, u'!') == LexicalAutomaton::kDead);
}

TEST_CASE("a broken pattern is refused with its place") {
  LexicalGrammar grammar;
  mentions(refusal_of(ErrorKind::internal, [&] { grammar.parse("a(b"); }), "\"a(b\"");
  mentions(refusal_of(ErrorKind::internal, [&] { grammar.parse("ab)"); }), "character 2");
  mentions(refusal_of(ErrorKind::internal, [&] { grammar.parse("[ab"); }), "its end comes too early");
  mentions(refusal_of(ErrorKind::internal, [&] { grammar.parse("<nowhere>"); }), "an unknown name");
}

}  // namespace
}  // namespace patchioner
