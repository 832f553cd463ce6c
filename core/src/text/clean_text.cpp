#include "text/clean_text.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "support/utf8.hpp"
#include "text/html_entities.hpp"
#include "text/mojibake.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"
#include "text/windows_1252.hpp"

namespace patchioner {
namespace {

/// A text is repaired in lines, and in parts of at most this many code points.
constexpr size_t kLongestSegment = 1'000'000;

// Ligatures of Latin letters as their letters. "code point:image"; an entry without a code point belongs to
// the one after the entry before it; "+" joins an image of several characters.
constexpr const char* kLigatures = R"(
132:49+4a 69+6a 149:2bc+6e 1c4:44+17d 44+17e 64+17e 4c+4a 4c+6a 6c+6a 4e+4a 4e+6a 6e+6a 1f1:44+5a 44+7a
64+7a fb00:66+66 66+69 66+6c 66+66+69 66+66+6c 17f+74 73+74
)";

// Full-width and half-width forms as the ordinary characters; the members of a range have consecutive images.
constexpr const char* kWidths = R"(
3000:20 ff01-ff5e:21 ff5f-ff60:2985 3002 ff62-ff63:300c 3001 30fb 30f2 30a1 30a3 30a5 30a7 30a9 30e3 30e5
30e7 30c3 30fc 30a2 30a4 30a6 30a8 ff75-ff76:30aa 30ad 30af 30b1 30b3 30b5 30b7 30b9 30bb 30bd 30bf 30c1
30c4 30c6 30c8 ff85-ff8a:30ca 30d2 30d5 30d8 30db ff8f-ff93:30de 30e4 30e6 ff96-ff9b:30e8 30ef 30f3
ff9e-ff9f:3099 1160 ffa1-ffa2:1100 11aa 1102 ffa5-ffa6:11ac ffa7-ffa9:1103 ffaa-ffaf:11b0 111a
ffb1-ffb3:1106 1121 ffb5-ffbe:1109 ffc2-ffc7:1161 ffca-ffcf:1167 ffd2-ffd7:116d ffda-ffdc:1173
ffe0-ffe1:a2 ac 20+304 a6 a5 20a9 ffe8:2502 ffe9-ffec:2190 25a0 25cb
)";

/// Replacements of one character by a few: ligatures, widths, curly quotes.
const std::unordered_map<char32_t, std::u32string>& replacements() {
  static const std::unordered_map<char32_t, std::u32string> map = [] {
    std::unordered_map<char32_t, std::u32string> read;
    for (const char* table : {kLigatures, kWidths}) {
      char32_t next = 0;
      for (const std::string_view entry : table_entries(table)) {
        const auto parts = table_entries(entry, ":");
        const auto [first, last] = parts.size() == 2 ? table_range(parts[0]) : std::pair(next, next);
        std::u32string image = table_code_points(parts.back());
        for (char32_t code_point = first; code_point <= last; ++code_point) {
          read[code_point] = image;
          ++image.back();
        }
        next = last + 1;
      }
    }
    return read;
  }();
  return map;
}

void replace_characters(std::u32string& text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t code_point : text) {
    const auto found = code_point < 0x80 ? replacements().end() : replacements().find(code_point);
    if (found == replacements().end()) {
      result.push_back(code_point);
    } else {
      result += found->second;
    }
  }
  text = std::move(result);
}

void straighten_quotes(std::u32string& text) {
  for (char32_t& code_point : text) {
    if (code_point >= 0x201c && code_point <= 0x201f) {
      code_point = U'"';
    } else if (code_point == 0x2bc || (code_point >= 0x2018 && code_point <= 0x201b)) {
      code_point = U'\'';
    }
  }
}

/// Every kind of line end as U+000A.
void unify_line_ends(std::u32string& text) {
  std::u32string result;
  result.reserve(text.size());
  for (size_t position = 0; position < text.size(); ++position) {
    const char32_t code_point = text[position];
    if (code_point == U'\r' && position + 1 < text.size() && text[position + 1] == U'\n') {
      continue;
    }
    const bool line_end =
        code_point == U'\r' || code_point == 0x2028 || code_point == 0x2029 || code_point == 0x85;
    result.push_back(line_end ? U'\n' : code_point);
  }
  text = std::move(result);
}

/// Takes out what sets colours in terminals: ESC [ numbers letter.
void remove_terminal_sequences(std::u32string& text) {
  if (text.find(U'\x1b') == std::u32string::npos) {
    return;
  }
  std::u32string result;
  for (size_t position = 0; position < text.size();) {
    if (text[position] == 0x1b && position + 1 < text.size() && text[position + 1] == U'[') {
      size_t end = position + 2;
      while (end < text.size() && ((text[end] >= U'0' && text[end] <= U'9') || text[end] == U';')) {
        ++end;
      }
      const char32_t letter = end < text.size() ? text[end] | 0x20 : 0;
      if (letter >= U'a' && letter <= U'z' && text[end] < 0x80) {
        position = end + 1;
        continue;
      }
    }
    result.push_back(text[position++]);
  }
  text = std::move(result);
}

bool is_removed_control(char32_t c) {
  return c <= 0x8 || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || (c >= 0x206a && c <= 0x206f) ||
         c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc);
}

std::u32string fix_segment(std::u32string text, bool references, TextClean level) {
  while (true) {
    std::u32string fixed = references ? unescape_strict_html(text) : text;
    if (level == TextClean::full) {
      fixed = repair_mojibake(std::move(fixed));
    }
    std::transform(fixed.begin(), fixed.end(), fixed.begin(), from_c1_control);
    replace_characters(fixed);
    straighten_quotes(fixed);
    unify_line_ends(fixed);
    remove_terminal_sequences(fixed);
    std::erase_if(fixed, is_removed_control);
    fixed = compose_canonically(std::move(fixed));
    if (fixed == text) {
      return text;
    }
    text = std::move(fixed);
  }
}

/// The first cleaning stage, line by line.
std::u32string fix(std::u32string_view text, TextClean level) {
  std::u32string result;
  result.reserve(text.size());
  bool references = true;
  while (!text.empty()) {
    const size_t line_end = text.find(U'\n');
    const size_t length =
        std::min(line_end == std::u32string_view::npos ? text.size() : line_end + 1, kLongestSegment);
    const std::u32string_view segment = text.substr(0, length);
    // A "<" says that this is markup, in which "&lt;" means something else than "<".
    references = references && segment.find(U'<') == std::u32string_view::npos;
    result += fix_segment(std::u32string(segment), references, level);
    text.remove_prefix(length);
  }
  return result;
}

std::u32string collapse_white_space(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t code_point : text) {
    if (!is_white_space(code_point)) {
      result.push_back(code_point);
    } else if (result.empty() || result.back() != U' ') {
      result.push_back(U' ');
    }
  }
  return result;
}

}  // namespace

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<uint8_t>(character);
    return (byte >= 0x20 && byte < 0x7f && byte != '&') || byte == '\t' || byte == '\n' || byte == '\f' ||
           byte == '\r';
  });
}

std::u32string clean_code_points(std::string_view text, TextClean level) {
  std::u32string cleaned = decode_utf8(text);
  if (level != TextClean::none) {
    cleaned = fix(cleaned, level);
  }
  cleaned = unescape_html(unescape_html(cleaned));
  cleaned = collapse_white_space(trim(cleaned));
  return lower_case(trim(cleaned));
}

std::string clean_text(std::string_view text, TextClean level) {
  return encode_utf8(clean_code_points(text, level));
}

}  // namespace patchioner
