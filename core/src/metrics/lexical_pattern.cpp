#include "metrics/lexical_pattern.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr char16_t kLastUnit = 0xffff;

bool is_letter_of_ascii(char32_t c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/// Sorted and joined where they touch.
UnitRanges normalised(UnitRanges ranges) {
  std::sort(ranges.begin(), ranges.end());
  UnitRanges result;
  for (const auto& [first, last] : ranges) {
    if (!result.empty() && first <= result.back().second + 1) {
      result.back().second = std::max(result.back().second, last);
    } else {
      result.emplace_back(first, last);
    }
  }
  return result;
}

UnitRanges complement(const UnitRanges& ranges) {
  UnitRanges result;
  uint32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) {
      result.emplace_back(static_cast<char16_t>(next), static_cast<char16_t>(first - 1));
    }
    next = uint32_t{last} + 1;
  }
  if (next <= kLastUnit) {
    result.emplace_back(static_cast<char16_t>(next), kLastUnit);
  }
  return result;
}

/// The units that a character outside of a set matches.
UnitRanges both_cases(char16_t unit) {
  if (!is_letter_of_ascii(unit)) {
    return {{unit, unit}};
  }
  const auto lower = static_cast<char16_t>(unit | 0x20);
  const auto upper = static_cast<char16_t>(lower - 0x20);
  UnitRanges ranges = {{lower, lower}, {upper, upper}};
  if (lower == u'i') {
    ranges.emplace_back(u'\u0130', u'\u0131');
  } else if (lower == u's') {
    ranges.emplace_back(u'\u017f', u'\u017f');
  } else if (lower == u'k') {
    ranges.emplace_back(u'\u212a', u'\u212a');
  }
  return ranges;
}

}  // namespace

std::optional<size_t> LexicalPattern::fixed_length() const {
  switch (kind) {
    case Kind::set:
      return 1;
    case Kind::sequence: {
      size_t length = 0;
      for (const LexicalPattern& child : children) {
        const std::optional<size_t> part = child.fixed_length();
        if (!part) {
          return std::nullopt;
        }
        length += *part;
      }
      return length;
    }
    case Kind::choice: {
      const std::optional<size_t> length = children.front().fixed_length();
      const bool all_same = std::all_of(children.begin(), children.end(), [&](const LexicalPattern& child) {
        return child.fixed_length() == length;
      });
      return all_same ? length : std::nullopt;
    }
    case Kind::repeat: {
      const std::optional<size_t> part = children.front().fixed_length();
      return part && most == least ? std::optional(*part * least) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// One text of a pattern, read from left to right.
class LexicalParser {
 public:
  LexicalParser(LexicalGrammar& grammar, std::string_view text) : grammar_(grammar), text_(text) {}

  LexicalPattern all() {
    LexicalPattern pattern = choice();
    if (at_ != text_.size()) {
      refuse("a closing bracket too many");
    }
    return pattern;
  }

 private:
  using Kind = LexicalPattern::Kind;

  LexicalPattern choice() {
    LexicalPattern result(Kind::choice);
    do {
      LexicalPattern sequence(Kind::sequence);
      while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
        sequence.children.push_back(repeated(atom()));
      }
      result.children.push_back(std::move(sequence));
    } while (take('|'));
    return result.children.size() == 1 ? std::move(result.children.front()) : std::move(result);
  }

  LexicalPattern repeated(LexicalPattern part) {
    std::optional<std::pair<size_t, std::optional<size_t>>> times;
    if (take('*')) {
      times = {0, std::nullopt};
    } else if (take('+')) {
      times = {1, std::nullopt};
    } else if (take('?')) {
      times = {0, 1};
    } else if (take('{')) {
      const size_t least = number();
      times = {least, take(',') ? number() : least};
      expect('}');
    }
    if (!times) {
      return part;
    }
    LexicalPattern result(Kind::repeat);
    result.children.push_back(std::move(part));
    result.least = times->first;
    result.most = times->second;
    return result;
  }

  LexicalPattern atom() {
    if (take('(')) {
      LexicalPattern inner = choice();
      expect(')');
      return inner;
    }
    if (take('<')) {
      const size_t end = text_.find('>', at_);
      const auto found = grammar_.named_.find(text_.substr(at_, end - at_));
      if (found == grammar_.named_.end()) {
        refuse("an unknown name");
      }
      at_ = end + 1;
      return found->second;
    }
    return set_of(take('[') ? unit_set() : both_cases(unit()));
  }

  LexicalPattern set_of(UnitRanges ranges) {
    return LexicalPattern(Kind::set, grammar_.add_set(normalised(std::move(ranges))));
  }

  UnitRanges unit_set() {
    const bool is_complement = take('^');
    UnitRanges ranges;
    while (!take(']')) {
      const char16_t first = unit();
      const bool is_range = at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']';
      if (is_range) {
        ++at_;
      }
      ranges.emplace_back(first, is_range ? unit() : first);
    }
    return is_complement ? complement(normalised(std::move(ranges))) : ranges;
  }

  char16_t unit() {
    const char c = next();
    if (c != '\\') {
      return static_cast<char16_t>(c);
    }
    const char escaped = next();
    switch (escaped) {
      case 't':
        return u'\t';
      case 'n':
        return u'\n';
      case 'r':
        return u'\r';
      case 'f':
        return u'\f';
      case 'u': {
        if (at_ + 4 > text_.size()) {
          refuse("a cut \\u");
        }
        const std::string digits(text_.substr(at_, 4));
        at_ += 4;
        return static_cast<char16_t>(std::stoul(digits, nullptr, 16));
      }
      default:
        return static_cast<char16_t>(escaped);
    }
  }

  size_t number() {
    size_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = 10 * value + static_cast<size_t>(text_[at_++] - '0');
    }
    return value;
  }

  char next() {
    if (at_ == text_.size()) {
      refuse("its end comes too early");
    }
    return text_[at_++];
  }

  bool take(char c) {
    const bool is_there = at_ < text_.size() && text_[at_] == c;
    at_ += is_there ? 1 : 0;
    return is_there;
  }

  void expect(char c) {
    if (!take(c)) {
      refuse("a bracket is not closed");
    }
  }

  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(ErrorKind::internal, "the lexical pattern \"{}\" is wrong at character {}: {}", text_, at_,
                what);
  }

  LexicalGrammar& grammar_;
  std::string_view text_;
  size_t at_ = 0;
};

void LexicalGrammar::name_set(const std::string& name, UnitRanges ranges) {
  named_[name] = LexicalPattern(LexicalPattern::Kind::set, add_set(normalised(std::move(ranges))));
}

void LexicalGrammar::name_pattern(const std::string& name, std::string_view pattern) {
  named_[name] = parse(pattern);
}

LexicalPattern LexicalGrammar::parse(std::string_view pattern) {
  return LexicalParser(*this, pattern).all();
}

size_t LexicalGrammar::add_set(UnitRanges ranges) {
  const auto [found, is_new] = indices_.emplace(std::move(ranges), sets_.size());
  if (is_new) {
    sets_.push_back(found->first);
  }
  return found->second;
}

}  // namespace patchioner
