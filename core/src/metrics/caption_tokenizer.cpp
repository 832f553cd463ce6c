#include "metrics/caption_tokenizer.hpp"

#include <algorithm>
#include <array>

#include "support/split.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

// The reference's list. It names brackets as well, in capitals, which tokens in lower case never are.
constexpr std::array<std::string_view, 13> kPunctuation = {"''", "'", "``", "`",  ".",   "?", "!",
                                                           ",",  ":", "-",  "--", "...", ";"};

// What ends a line for the tokenizer beside "\n", as UTF-8.
constexpr std::array<std::string_view, 6> kOtherLineEnds = {"\r",       "\v",           "\f",
                                                            "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

void replace_by_space(std::string& text, std::string_view what) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    text.replace(at, what.size(), 1, ' ');
  }
}

/// Without white space at its end.
std::string_view right_trimmed(std::string_view line) {
  constexpr std::string_view kAsciiSpace = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
  while (!line.empty()) {
    if (const size_t last = line.find_last_not_of(kAsciiSpace); last + 1 != line.size()) {
      line = line.substr(0, last + 1);
      continue;
    }
    size_t begin = line.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(line[begin]) & 0xc0) == 0x80) {
      --begin;
    }
    const std::u32string last = decode_utf8(line.substr(begin));
    if (last.size() != 1 || !is_trimmed(last[0])) {
      return line;
    }
    line = line.substr(0, begin);
  }
  return line;
}

}  // namespace

std::string without_punctuation(std::string_view line) {
  line = right_trimmed(line);
  std::string kept;
  kept.reserve(line.size());
  bool is_first = true;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    if (std::find(kPunctuation.begin(), kPunctuation.end(), word) == kPunctuation.end()) {
      if (!is_first) {
        kept.push_back(' ');
      }
      kept += word;
      is_first = false;
    }
    begin = end + 1;
  }
  return kept;
}

std::vector<std::string> CaptionTokenizer::tokenize(std::span<const std::string> captions) const {
  if (captions.empty()) {
    return {};
  }
  std::string text;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (i > 0) {
      text.push_back('\n');
    }
    const size_t begin = text.size();
    text += captions[i];
    std::replace(text.begin() + static_cast<ptrdiff_t>(begin), text.end(), '\n', ' ');
  }
  if (options_.sanitize_line_breaks) {
    for (const std::string_view line_end : kOtherLineEnds) {
      replace_by_space(text, line_end);
    }
  }
  const std::string tokens = lexer_.tokens_of(text);
  std::vector<std::string> lines;
  lines.reserve(captions.size());
  for (size_t begin = 0; begin <= tokens.size() && lines.size() < captions.size();) {
    const size_t end = std::min(tokens.find('\n', begin), tokens.size());
    lines.push_back(without_punctuation(std::string_view(tokens).substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

}  // namespace patchioner
