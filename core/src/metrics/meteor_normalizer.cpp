#include "metrics/meteor_normalizer.hpp"

#include <algorithm>

#include "support/split.hpp"
#include "support/utf8.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

using Text = std::u32string;

constexpr const char* kAlwaysPrefixes = R"(
A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hosp Hr Insp
Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Nos Nr Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen Sens
Sfc Sgt Sr St Supt Surg e.g i.e rev v vs
)";
constexpr const char* kPrefixesBeforeDigits = "Art No pp";
constexpr std::string_view kNumericOnly = "#NUMERIC_ONLY#";

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

bool is_lower_of_ascii(char32_t c) {
  return c >= U'a' && c <= U'z';
}

// Not Unicode's letters: the ranges that METEOR's normaliser names.
bool is_alpha(char32_t c) {
  static const CodePointSet set(
      "41-5a 61-7a 160 161 17d 17e 178 c0-d6 d8-f6 f8-17e 400-527 a640-a66e a67e-a697 1d00-1d7f");
  return c < 0x80 ? (c | 0x20) >= U'a' && (c | 0x20) <= U'z' : set.contains(c);
}

bool is_alphanumeric(char32_t c) {
  return is_alpha(c) || is_digit(c);
}

bool is_not_digit(char32_t c) {
  return !is_digit(c);
}

bool is_not_alpha(char32_t c) {
  return !is_alpha(c);
}

/// What Java's \s stands for.
bool is_space(char32_t c) {
  return c == U' ' || (c >= U'\t' && c <= U'\r');
}

/// What words are split at.
bool is_separator(char32_t c) {
  return is_space(c) && c != U'\v';
}

void replace_all(Text& text, std::u32string_view what, std::u32string_view with) {
  size_t at = text.find(what);
  if (at == Text::npos) {
    return;
  }
  Text result;
  size_t from = 0;
  for (; at != Text::npos; at = text.find(what, from)) {
    result.append(text, from, at - from);
    result += with;
    from = at + what.size();
  }
  result.append(text, from);
  text = std::move(result);
}

/// Puts `with` in the place of `sign` wherever it stands between such characters. Both neighbours are used up
/// by a match: what follows cannot begin with the right one.
template <class Left, class Right>
void replace_between(Text& text, Left&& is_left, char32_t sign, Right&& is_right, std::u32string_view with) {
  if (text.find(sign) == Text::npos) {
    return;
  }
  Text result;
  result.reserve(text.size() + 8);
  size_t at = 0;
  while (at + 2 < text.size()) {
    if (text[at + 1] == sign && is_left(text[at]) && is_right(text[at + 2])) {
      result.push_back(text[at]);
      result += with;
      result.push_back(text[at + 2]);
      at += 3;
    } else {
      result.push_back(text[at++]);
    }
  }
  result.append(text, at);
  text = std::move(result);
}

/// Step 2: signs stand apart.
Text with_signs_apart(const Text& text) {
  Text result;
  result.reserve(2 * text.size());
  for (const char32_t c : text) {
    const bool stays = is_alphanumeric(c) || is_space(c) ||
                       std::u32string_view(U".',-`\u2018\u2019").find(c) != std::u32string_view::npos;
    if (stays) {
      result.push_back(c);
    } else {
      result += {U' ', c, U' '};
    }
  }
  return result;
}

/// Step 3: a run of dots becomes a word, spelled DOTDOTMULTI until step 9 is done.
void protect_dots(Text& text) {
  if (text.find(U"..") != Text::npos) {
    Text result;
    for (size_t at = 0; at < text.size(); ++at) {
      if (text[at] != U'.' || at + 1 >= text.size() || text[at + 1] != U'.') {
        result.push_back(text[at]);
        continue;
      }
      result += U" DOTMULTI";
      while (at + 1 < text.size() && text[at + 1] == U'.') {
        result.push_back(text[++at]);
      }
    }
    text = std::move(result);
  }
  constexpr std::u32string_view kMark = U"DOTMULTI.";
  while (text.find(kMark) != Text::npos) {
    Text result;
    size_t from = 0;
    for (size_t at = text.find(kMark); at != Text::npos; at = text.find(kMark, at)) {
      const size_t next = at + kMark.size();
      if (next >= text.size() || text[next] == U'.') {
        at = next;
        continue;
      }
      result.append(text, from, at - from);
      result += U"DOTDOTMULTI ";
      result.push_back(text[next]);
      at = from = next + 1;
    }
    result.append(text, from);
    text = std::move(result);
    replace_all(text, kMark, U"DOTDOTMULTI");
  }
}

void restore_dots(Text& text) {
  while (text.find(U"DOTDOTMULTI") != Text::npos) {
    replace_all(text, U"DOTDOTMULTI", U"DOTMULTI.");
  }
  replace_all(text, U"DOTMULTI", U".");
}

std::vector<Text> words_of(const Text& text) {
  std::vector<Text> words;
  for (size_t begin = 0; begin < text.size();) {
    if (is_separator(text[begin])) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < text.size() && !is_separator(text[end])) {
      ++end;
    }
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

/// Step 9: dots at the ends of words stand apart where they end a sentence.
Text with_final_dots_apart(const Text& text, const NonbreakingPrefixes& prefixes) {
  const std::vector<Text> words = words_of(text);
  Text result;
  for (size_t i = 0; i < words.size(); ++i) {
    Text word = words[i];
    if (word.size() > 1 && word.back() == U'.') {
      const Text before = word.substr(0, word.size() - 1);
      const char32_t next = i + 1 < words.size() ? words[i + 1].front() : U' ';
      const std::string prefix = encode_utf8(before);
      if (before.find(U'.') != Text::npos && std::any_of(before.begin(), before.end(), is_alpha)) {
        std::erase(word, U'.');
      } else if (!prefixes.always.contains(prefix) && !is_lower_of_ascii(next) &&
                 !(prefixes.before_digits.contains(prefix) && is_digit(next))) {
        word = before + U" .";
      }
    }
    if (i > 0) {
      result.push_back(U' ');
    }
    result += word;
  }
  return result;
}

/// Step 10: what counts as a space beside U+0020.
bool is_wide_space(char32_t c) {
  return (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xa0;
}

/// Whether the steps can change nothing: words in lower case between spaces.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ' '; });
}

}  // namespace

NonbreakingPrefixes NonbreakingPrefixes::english() {
  NonbreakingPrefixes prefixes;
  for (const std::string_view word : table_entries(kAlwaysPrefixes)) {
    prefixes.always.emplace(word);
  }
  for (const std::string_view word : table_entries(kPrefixesBeforeDigits)) {
    prefixes.before_digits.emplace(word);
  }
  return prefixes;
}

NonbreakingPrefixes NonbreakingPrefixes::parse(std::string_view content) {
  NonbreakingPrefixes prefixes;
  for (const std::string& line : split(content, '\n')) {
    const std::vector<std::string_view> words = table_entries(line, " \t\r");
    if (!words.empty() && !line.starts_with('#')) {
      auto& set = words.size() > 1 && words[1] == kNumericOnly ? prefixes.before_digits : prefixes.always;
      set.emplace(words[0]);
    }
  }
  return prefixes;
}

std::vector<std::string> meteor_words_of(std::string_view given, const NonbreakingPrefixes& prefixes) {
  std::vector<std::string> result;
  if (is_plain(given)) {
    for (const std::string_view word : table_entries(given)) {
      result.emplace_back(word);
    }
    return result;
  }
  Text text = with_signs_apart(U" " + decode_utf8(given) + U" ");
  protect_dots(text);
  replace_between(text, is_not_digit, U',', is_not_digit, U" , ");
  replace_between(text, is_digit, U',', is_not_digit, U" , ");
  replace_between(text, is_not_digit, U',', is_digit, U" , ");
  for (const char32_t quote : {U'`', U'\u2018', U'\u2019'}) {
    std::replace(text.begin(), text.end(), quote, U'\'');
  }
  replace_all(text, U"\u201c", U" \" ");
  replace_all(text, U"\u201d", U" \" ");
  replace_all(text, U"''", U" \" ");
  std::replace(text.begin(), text.end(), U'\u2013', U'-');
  replace_all(text, U"--", U"-");
  replace_between(
      text, [](char32_t c) { return c == U'.' || is_alphanumeric(c); }, U'-', is_alphanumeric, U" ");
  replace_between(text, is_not_alpha, U'\'', is_not_alpha, U" ' ");
  replace_between(
      text, [](char32_t c) { return !is_alpha(c) && !is_digit(c); }, U'\'', is_alpha, U" ' ");
  replace_between(text, is_alpha, U'\'', is_not_alpha, U" ' ");
  replace_between(text, is_alpha, U'\'', is_alpha, U" '");
  replace_between(
      text, is_digit, U'\'', [](char32_t c) { return c == U's'; }, U" '");
  text = with_final_dots_apart(text, prefixes);
  restore_dots(text);
  std::replace_if(text.begin(), text.end(), is_wide_space, U' ');
  // Java's trim takes control characters off as well, which are words of their own inside of a text.
  const auto is_kept = [](char32_t c) { return c > U' '; };
  text.erase(std::find_if(text.rbegin(), text.rend(), is_kept).base(), text.end());
  text.erase(text.begin(), std::find_if(text.begin(), text.end(), is_kept));
  for (const Text& word : words_of(lower_case(text))) {
    result.push_back(encode_utf8(word));
  }
  return result;
}

}  // namespace patchioner
