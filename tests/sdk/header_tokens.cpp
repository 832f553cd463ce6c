#include "header_tokens.hpp"

#include <algorithm>
#include <cctype>

namespace sdk {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The header with every comment replaced by a space; texts in quotes are left alone.
std::string without_comments(std::string_view header) {
  std::string result;
  for (size_t i = 0; i < header.size();) {
    if (header.substr(i, 2) == "//") {
      i = std::min(header.find('\n', i), header.size());
    } else if (header.substr(i, 2) == "/*") {
      const size_t end = header.find("*/", i + 2);
      i = end == std::string_view::npos ? header.size() : end + 2;
      result += ' ';
    } else if (header[i] == '"' || header[i] == '\'') {
      const char quote = header[i];
      do {
        const size_t length = header[i] == '\\' ? 2 : 1;
        result += header.substr(i, length);
        i += length;
      } while (i < header.size() && header[i] != quote);
      result += quote;
      ++i;
    } else {
      result += header[i++];
    }
  }
  return result;
}

/// Takes the preprocessor lines, with those that they go on in, out of `text`.
std::vector<std::string> take_preprocessor_lines(std::string& text) {
  std::vector<std::string> lines;
  std::string rest;
  for (size_t i = 0; i < text.size();) {
    size_t end = std::min(text.find('\n', i), text.size());
    const size_t first = text.find_first_not_of(" \t", i);
    const bool preprocessor = first < end && text[first] == '#';
    while (preprocessor && end < text.size() && text[end - 1] == '\\') {
      text[end - 1] = ' ';
      end = std::min(text.find('\n', end + 1), text.size());
    }
    (preprocessor ? lines.emplace_back() : rest).append(text, i, end - i);
    rest += '\n';
    i = end + 1;
  }
  text = rest;
  return lines;
}

std::vector<std::string> split_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < text.size();) {
    size_t length = 1;
    if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      ++i;
      continue;
    }
    if (is_word_character(text[i])) {
      while (i + length < text.size() &&
             (is_word_character(text[i + length]) ||
              (text[i + length] == '.' && std::isdigit(static_cast<unsigned char>(text[i])) != 0))) {
        ++length;
      }
    } else if (text[i] == '"' || text[i] == '\'') {
      while (i + length < text.size() && text[i + length] != text[i]) {
        length += text[i + length] == '\\' ? 2 : 1;
      }
      ++length;
    } else if (text.substr(i, 3) == "...") {
      length = 3;
    } else if (const auto two = text.substr(i, 2); two == "::" || two == "->" || two == "&&" || two == "==") {
      length = 2;
    }
    tokens.emplace_back(text.substr(i, length));
    i += length;
  }
  return tokens;
}

}  // namespace

bool is_word(const std::string& token) {
  return is_word_character(token.front());
}

HeaderTokens read_tokens(std::string_view header) {
  HeaderTokens result;
  std::string text = without_comments(header);
  for (const std::string& line : take_preprocessor_lines(text)) {
    std::string words;
    for (const char c : line) {
      const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
      if (!space) {
        words += c;
      } else if (!words.empty() && words.back() != ' ') {
        words += ' ';
      }
    }
    words.erase(words.find_last_not_of(' ') + 1);
    if (words.starts_with("#define ")) {
      result.macros.push_back(words);
    }
  }
  result.tokens = split_tokens(text);
  return result;
}

std::string join_tokens(const std::vector<std::string>& tokens) {
  std::string line;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& token = tokens[i];
    if (i > 0) {
      const std::string& before = tokens[i - 1];
      const bool ends_a_type = before == ">" || before == "&" || before == "&&" || before == "*" ||
                               before == ")" || before == "...";
      if ((is_word(token) && (is_word(before) || ends_a_type)) || (token == "~" && is_word(before)) ||
          before == "," || token == "=" || before == "=" || token == ":" || before == ":") {
        line += ' ';
      }
    }
    line += token;
  }
  return line;
}

}  // namespace sdk
