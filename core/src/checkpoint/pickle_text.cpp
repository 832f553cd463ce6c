#include "checkpoint/pickle_text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

/// The value of `count` hexadecimal digits at the start, or -1.
int64_t hexadecimal(std::string_view digits, size_t count) {
  if (digits.size() < count) {
    return -1;
  }
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + count, value, 16);
  return error == std::errc() && end == digits.data() + count ? static_cast<int64_t>(value) : -1;
}

}  // namespace

bool is_decimal(std::string_view digits) {
  if (digits.starts_with('-') || digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  return !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool parse_decimal(std::string_view digits, int64_t& value) {
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}

bool parse_float(std::string_view digits, double& value) {
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}

double big_endian_double(std::string_view bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), sizeof bits);
  return std::bit_cast<double>(__builtin_bswap64(bits));
}

std::string unescape_unicode(std::string_view line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U')) {
      const size_t count = line[i + 1] == 'u' ? 4 : 8;
      if (const int64_t code_point = hexadecimal(line.substr(i + 2), count); code_point >= 0) {
        append_utf8(text, static_cast<char32_t>(code_point));
        i += 1 + count;
        continue;
      }
    }
    append_utf8(text, static_cast<unsigned char>(line[i]));
  }
  return text;
}

bool unquote_string(std::string_view line, std::string& content) {
  if (line.size() < 2 || line.front() != line.back() || (line.front() != '\'' && line.front() != '"')) {
    return false;
  }
  line = line.substr(1, line.size() - 2);
  content.clear();
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      content += line[i];
      continue;
    }
    const char escape = line[++i];
    if (escape == 'x') {
      const int64_t value = hexadecimal(line.substr(i + 1), 2);
      if (value < 0) {
        return false;
      }
      content += static_cast<char>(value);
      i += 2;
    } else {
      constexpr std::string_view kNames = "ntr0";
      constexpr std::string_view kValues("\n\t\r\0", 4);
      const size_t known = kNames.find(escape);
      content += known == std::string_view::npos ? escape : kValues[known];
    }
  }
  return true;
}

bool latin1_bytes(std::string_view utf8, std::string& bytes) {
  bytes.clear();
  bytes.reserve(utf8.size());
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    if (first < 0x80) {
      bytes += utf8[i];
    } else if ((first == 0xc2 || first == 0xc3) && i + 1 < utf8.size() &&
               (static_cast<unsigned char>(utf8[i + 1]) & 0xc0) == 0x80) {
      bytes += static_cast<char>(((first & 0x03) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3f));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace patchioner
