#include "entities/rule_parser.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "entities/hyphenated_words.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

constexpr size_t kLongestName = 3;  // tokens

using Fact = std::array<std::string, 3>;

bool is_word_letter(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9');
}

/// Words, `'s`, and every other character that is not white space, in lower case.
std::vector<std::string> split(std::string_view caption) {
  std::vector<std::string> tokens;
  const std::u32string lowered = lower_case(decode_utf8(caption));
  std::u32string_view rest = lowered;
  while (!rest.empty()) {
    size_t length = hyphenated_length(rest, is_word_letter);
    if (length == 0) {
      length = rest.starts_with(U"'s") ? 2 : 1;
    }
    if (!is_trimmed(rest.front())) {
      tokens.push_back(encode_utf8(rest.substr(0, length)));
    }
    rest.remove_prefix(length);
  }
  return tokens;
}

/// Tokens [begin, end) that name a thing.
struct Span {
  size_t begin;
  size_t end;
};

bool is_joining(const std::string& token) {
  return token == "and" || token == ",";
}

/// One caption on its way to facts.
class Parse {
 public:
  Parse(const SceneGraphLexicon& lexicon, std::string_view caption)
      : lexicon_(lexicon), tokens_(split(caption)) {
    for (std::string& token : tokens_) {
      if (const auto alias = lexicon_.aliases.find(token); alias != lexicon_.aliases.end()) {
        token = alias->second;
      }
    }
    find_spans();
    used_.resize(tokens_.size());
    attributes_.resize(spans_.size());
    for (size_t i = 0; i < spans_.size(); ++i) {
      take_attributes_before(i);
      take_attributes_after(i);
    }
  }

  std::string text() const {
    const std::vector<Fact> all = facts();
    if (all.empty()) {
      return spans_.empty() ? std::string() : "( " + name(spans_.front()) + " )";
    }
    std::string result;
    for (const auto& [subject, predicate, object] : all) {
      result += (result.empty() ? "( " : " , ( ") + subject + " , " + predicate + " , " + object + " )";
    }
    return result;
  }

 private:
  std::string name(const Span& span) const {
    std::string joined = tokens_[span.begin];
    for (size_t i = span.begin + 1; i < span.end; ++i) {
      joined += ' ' + tokens_[i];
    }
    return joined;
  }

  /// The longest names from left to right; of names that touch the last one counts ("kitchen counter").
  void find_spans() {
    inside_.resize(tokens_.size());
    for (size_t at = 0; at < tokens_.size();) {
      size_t length = std::min(kLongestName, tokens_.size() - at);
      while (length > 0 && !lexicon_.entities.contains(name({at, at + length}))) {
        --length;
      }
      if (length == 0) {
        ++at;
        continue;
      }
      if (!spans_.empty() && spans_.back().end == at) {
        spans_.pop_back();
      }
      spans_.push_back({at, at + length});
      std::fill_n(inside_.begin() + static_cast<std::ptrdiff_t>(at), length, true);
      at += length;
    }
  }

  /// Where the words of a span may begin and end: between its neighbours.
  size_t lowest(size_t i) const { return i == 0 ? 0 : spans_[i - 1].end; }
  size_t highest(size_t i) const { return i + 1 == spans_.size() ? tokens_.size() : spans_[i + 1].begin; }

  void take_attributes_before(size_t i) {
    size_t at = spans_[i].begin;
    for (; at > lowest(i); --at) {
      const std::string& token = tokens_[at - 1];
      const auto number = lexicon_.numbers.find(token);
      const bool attribute = lexicon_.attributes.contains(token);
      if (number == lexicon_.numbers.end() && !attribute && !is_joining(token) && !inside_[at - 1]) {
        break;
      }
      used_[at - 1] = true;
      if (number != lexicon_.numbers.end()) {
        attributes_[i].push_back(number->second);
      } else if (attribute) {
        attributes_[i].push_back(token);
      }
    }
    if (at < spans_[i].begin && is_joining(tokens_[at])) {
      used_[at] = false;  // it joins this thing to the one before
    }
    std::reverse(attributes_[i].begin(), attributes_[i].end());
  }

  void take_attributes_after(size_t i) {
    const size_t end = highest(i);
    size_t at = spans_[i].end;
    if (at >= end || !lexicon_.copulas.contains(tokens_[at])) {
      return;
    }
    ++at;
    while (at < end && lexicon_.skip_after_copula.contains(tokens_[at])) {
      ++at;
    }
    const auto is_attribute = [&](size_t place) {
      return place < end && lexicon_.attributes.contains(tokens_[place]);
    };
    for (; at < end; ++at) {
      if (is_attribute(at)) {
        used_[at] = true;
        attributes_[i].push_back(tokens_[at]);
      } else if (!is_joining(tokens_[at]) || !is_attribute(at + 1)) {
        return;
      }
    }
  }

  /// The words between a thing and the next that nothing else has taken.
  std::string predicate(size_t i) const {
    std::string joined;
    for (size_t at = spans_[i].end; at < spans_[i + 1].begin; ++at) {
      const std::string& token = tokens_[at];
      if (!used_[at] && !lexicon_.dropped_relation_words.contains(token) &&
          hyphenated_length(std::string_view(token), is_word_letter) == token.size()) {
        joined += (joined.empty() ? "" : " ") + token;
      }
    }
    return joined.empty() ? "and" : joined;
  }

  std::vector<Fact> facts() const {
    std::vector<Fact> result;
    const auto add = [&](Fact fact) {
      if (std::find(result.begin(), result.end(), fact) == result.end()) {
        result.push_back(std::move(fact));
      }
    };
    for (size_t i = 0; i < spans_.size(); ++i) {
      for (const std::string& attribute : attributes_[i]) {
        add({name(spans_[i]), "is", attribute});
      }
      if (i + 1 < spans_.size()) {
        add({name(spans_[i]), predicate(i), name(spans_[i + 1])});
      }
    }
    return result;
  }

  const SceneGraphLexicon& lexicon_;
  std::vector<std::string> tokens_;
  std::vector<Span> spans_;                           ///< those that count
  std::vector<bool> inside_;                          ///< of any name that was found
  std::vector<bool> used_;                            ///< as an attribute, or between attributes
  std::vector<std::vector<std::string>> attributes_;  ///< of each span
};

}  // namespace

std::string RuleParser::parse(std::string_view caption) const {
  return Parse(lexicon_, caption).text();
}

}  // namespace patchioner
