#include "metrics/ptb_lexer.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "metrics/ptb_rules.hpp"
#include "metrics/utf16.hpp"
#include "support/utf8.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

constexpr char16_t kSoftHyphen = u'\u00ad';
constexpr char16_t kNoBreakSpace = u'\u00a0';
constexpr char16_t kAsciiEnd = 0x80;

void replace_all(std::u16string& text, std::u16string_view what, std::u16string_view with) {
  for (size_t at = text.find(what); at != std::u16string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

void replace_units(std::u16string& text, std::u16string_view any_of, std::u16string_view with) {
  for (size_t at = text.find_first_of(any_of); at != std::u16string::npos;
       at = text.find_first_of(any_of, at + with.size())) {
    text.replace(at, 1, with);
  }
}

std::u16string without_soft_hyphens(std::u16string_view match) {
  std::u16string text(match);
  std::erase(text, kSoftHyphen);
  return text.empty() ? u"-" : text;
}

std::u16string with_plain_ampersands(std::u16string_view match) {
  constexpr std::u16string_view kEntity = u"&amp;";
  std::u16string text;
  for (size_t i = 0; i < match.size(); ++i) {
    text.push_back(match[i]);
    const bool is_entity =
        match[i] == u'&' && i + kEntity.size() <= match.size() &&
        std::equal(
            kEntity.begin() + 1, kEntity.end(), match.begin() + static_cast<ptrdiff_t>(i) + 1,
            [](char16_t wanted, char16_t unit) { return wanted == (unit | (wanted == u';' ? 0 : 0x20)); });
    i += is_entity ? kEntity.size() - 1 : 0;
  }
  return text;
}

std::u16string latex_quotes(std::u16string_view match, bool is_left) {
  std::u16string text(match);
  const std::u16string_view one = is_left ? u"`" : u"'";
  const std::u16string_view two = is_left ? u"``" : u"''";
  replace_all(text, u"&apos;", one);
  replace_all(text, u"'", one);
  replace_all(text, u"&quot;", two);
  replace_all(text, u"\"", two);
  replace_units(text, u"\u0091\u2018\u201b\u2039", u"`");
  replace_units(text, u"\u0092\u2019\u203a", u"'");
  replace_units(text, u"\u0093\u201c\u00ab", u"``");
  replace_units(text, u"\u0094\u201d\u00bb", u"''");
  return text;
}

std::u16string money_of(std::u16string_view match) {
  switch (match.front()) {
    case u'\u00a2':
      return u"cents";
    case u'\u00a3':
      return u"#";
    case u'\u0080':
    case u'\u00a4':
    case u'\u20a0':
    case u'\u20ac':
      return u"$";
    default:
      return std::u16string(match);
  }
}

std::u16string fraction_of(std::u16string_view match) {
  switch (match.front()) {
    case u'\u00bc':
      return u"1/4";
    case u'\u00bd':
      return u"1/2";
    case u'\u00be':
      return u"3/4";
    case u'\u2153':
      return u"1/3";
    case u'\u2154':
      return u"2/3";
    default:
      return std::u16string(match);
  }
}

std::u16string with_named_brackets(std::u16string_view match) {
  std::u16string text(match);
  std::replace(text.begin(), text.end(), u' ', kNoBreakSpace);
  replace_all(text, u"(", u"-LRB-");
  replace_all(text, u")", u"-RRB-");
  return text;
}

std::u16string with_no_break_spaces(std::u16string_view match) {
  std::u16string text(match);
  std::replace(text.begin(), text.end(), u' ', kNoBreakSpace);
  return text;
}

/// A rule's token, and how many units of its match are read again.
struct Made {
  std::u16string token;
  size_t again = 0;
};

Made make_token(const PtbRule& rule, std::u16string_view match) {
  switch (rule.action) {
    case PtbAction::soft_hyphens:
      return {without_soft_hyphens(match)};
    case PtbAction::give_back_2:
      return {std::u16string(match.substr(0, match.size() - 2)), 2};
    case PtbAction::give_back_3:
      return {std::u16string(match.substr(0, match.size() - 3)), 3};
    case PtbAction::no_break_spaces:
      return {with_no_break_spaces(match)};
    case PtbAction::emit:
      return {to_utf16(rule.token)};
    case PtbAction::ampersand:
      return {with_plain_ampersands(match)};
    case PtbAction::left_quote:
      return {latex_quotes(match, true)};
    case PtbAction::right_quote:
      return {latex_quotes(match, false)};
    case PtbAction::money:
      return {money_of(match)};
    case PtbAction::fraction:
      return {fraction_of(match)};
    case PtbAction::brackets:
      return {with_named_brackets(match)};
    case PtbAction::hyphens:
      return {match.size() == 3 || match.size() == 4 ? u"--" : std::u16string(match)};
    case PtbAction::dot_of_acronym:
      return {std::u16string(match.size() == 2 ? match.substr(0, 1) : match), 1};
    case PtbAction::dot_twice:
      return {std::u16string(match), 1};
    case PtbAction::keep:
    case PtbAction::line_end:
    case PtbAction::drop:
      break;
  }
  return {std::u16string(match)};
}

void append_lower(std::string& line, std::u16string_view token) {
  const size_t before = line.size();
  for (const char16_t unit : token) {
    if (unit >= kAsciiEnd) {  // the whole token, since what a letter becomes depends on its neighbours
      line.resize(before);
      std::string text;
      append_as_utf8(text, token);
      line += encode_utf8(lower_case(decode_utf8(text)));
      return;
    }
    line.push_back(static_cast<char>(unit >= u'A' && unit <= u'Z' ? unit + ('a' - 'A') : unit));
  }
}

UnitRanges ranges_of(std::string_view table) {
  UnitRanges ranges;
  for (const std::string_view entry : table_entries(table)) {
    const auto [first, last] = table_range(entry);
    ranges.emplace_back(static_cast<char16_t>(first), static_cast<char16_t>(last));
  }
  return ranges;
}

}  // namespace

PtbLexer::PtbLexer() {
  LexicalGrammar grammar;
  for (const PtbName& set : ptb_unit_sets()) {
    grammar.name_set(set.name, ranges_of(set.meaning));
  }
  for (const PtbName& pattern : ptb_patterns()) {
    grammar.name_pattern(pattern.name, pattern.meaning);
  }
  struct Parts {
    LexicalPattern pattern, rest;
  };
  std::vector<LexicalPattern> whole;
  std::vector<Parts> parts;
  for (const PtbRule& rule : ptb_rules()) {
    parts.push_back({grammar.parse(rule.pattern), grammar.parse(rule.ahead != nullptr ? rule.ahead : "")});
    LexicalPattern both;  // a sequence
    both.children = {parts.back().pattern, parts.back().rest};
    whole.push_back(std::move(both));
  }
  // Only now are all sets known that classes are made of.
  classes_ = std::make_unique<UnitClasses>(grammar.sets());
  rules_ = std::make_unique<LexicalAutomaton>(whole, *classes_, /*reversed=*/false);
  for (const Parts& part : parts) {
    Ahead ahead{.length = part.rest.fixed_length(), .pattern = nullptr, .rest = nullptr};
    if (!ahead.length) {
      ahead.pattern = std::make_unique<LexicalAutomaton>(std::vector{part.pattern}, *classes_, false);
      ahead.rest = std::make_unique<LexicalAutomaton>(std::vector{part.rest}, *classes_, true);
    }
    ahead_.push_back(std::move(ahead));
  }
}

size_t PtbLexer::token_length(size_t rule, std::u16string_view match) const {
  const Ahead& ahead = ahead_[rule];
  if (ahead.length) {
    return match.size() - *ahead.length;
  }
  // The places where what is ahead may begin, the last one first ...
  std::vector<size_t> places;
  LexicalAutomaton::State state = ahead.rest->start();
  for (size_t at = match.size(); at > 0 && state != LexicalAutomaton::kDead; --at) {
    if (ahead.rest->accepted(state) != LexicalAutomaton::kNone) {
      places.push_back(at);
    }
    state = ahead.rest->next(state, match[at - 1]);
  }
  // ... and the last one of them that the token can end at.
  size_t longest = 0;
  state = ahead.pattern->start();
  for (size_t at = 0; at < match.size() && state != LexicalAutomaton::kDead;) {
    state = ahead.pattern->next(state, match[at++]);
    if (ahead.pattern->accepted(state) != LexicalAutomaton::kNone &&
        std::find(places.begin(), places.end(), at) != places.end()) {
      longest = at;
    }
  }
  return longest;
}

std::string PtbLexer::tokens_of(std::string_view text) const {
  const std::u16string units = to_utf16(text);
  const std::span<const PtbRule> rules = ptb_rules();
  const std::scoped_lock lock(mutex_);
  std::string lines;
  lines.reserve(text.size() + text.size() / 8);
  bool is_first = true;  // on its line
  for (size_t begin = 0; begin < units.size();) {
    LexicalAutomaton::State state = rules_->start();
    size_t length = 1;  // there is a rule for every unit; should one fail, the unit is left out
    int rule = LexicalAutomaton::kNone;
    for (size_t at = begin; at < units.size();) {
      state = rules_->next(state, units[at++]);
      if (state == LexicalAutomaton::kDead) {
        break;
      }
      if (const int accepted = rules_->accepted(state); accepted != LexicalAutomaton::kNone) {
        rule = accepted;
        length = at - begin;
      }
    }
    if (rule == LexicalAutomaton::kNone) {
      begin += length;
      continue;
    }
    const auto index = static_cast<size_t>(rule);
    std::u16string_view match(units.data() + begin, length);
    match = match.substr(0, token_length(index, match));
    const PtbAction action = rules[index].action;
    if (action == PtbAction::line_end) {
      lines.push_back('\n');
      is_first = true;
    } else if (action != PtbAction::drop) {
      if (!is_first) {
        lines.push_back(' ');
      }
      is_first = false;
      if (action == PtbAction::keep ||
          (action == PtbAction::soft_hyphens && match.find(kSoftHyphen) == std::u16string_view::npos)) {
        append_lower(lines, match);
      } else {
        const Made made = make_token(rules[index], match);
        append_lower(lines, made.token);
        match.remove_suffix(made.again);
      }
    }
    begin += match.size();
  }
  return lines;
}

}  // namespace patchioner
