#include "metrics/utf16.hpp"

#include "support/utf8.hpp"

namespace patchioner {
namespace {

constexpr char16_t kAsciiEnd = 0x80;
constexpr char32_t kFirstBeyondPlane = 0x10000;
constexpr char16_t kHighSurrogate = 0xd800;
constexpr char16_t kLowSurrogate = 0xdc00;
constexpr char16_t kSurrogateEnd = 0xe000;

}  // namespace

std::u16string to_utf16(std::string_view text) {
  std::u16string units;
  units.reserve(text.size());
  while (!text.empty()) {
    size_t ascii = 0;
    while (ascii < text.size() && static_cast<unsigned char>(text[ascii]) < kAsciiEnd) {
      units.push_back(static_cast<char16_t>(text[ascii++]));
    }
    text.remove_prefix(ascii);
    // A run beyond ASCII ends where ASCII begins again, so that it is decoded as it would be in place.
    size_t other = 0;
    while (other < text.size() && static_cast<unsigned char>(text[other]) >= kAsciiEnd) {
      ++other;
    }
    if (other > 0) {
      for (const char32_t code_point : decode_utf8(text.substr(0, other))) {
        if (code_point < kFirstBeyondPlane) {
          units.push_back(static_cast<char16_t>(code_point));
        } else {
          const char32_t rest = code_point - kFirstBeyondPlane;
          units.push_back(static_cast<char16_t>(kHighSurrogate + (rest >> 10)));
          units.push_back(static_cast<char16_t>(kLowSurrogate + (rest & 0x3ff)));
        }
      }
      text.remove_prefix(other);
    }
  }
  return units;
}

void append_as_utf8(std::string& text, std::u16string_view units) {
  for (size_t i = 0; i < units.size(); ++i) {
    const char16_t unit = units[i];
    const bool is_pair = unit >= kHighSurrogate && unit < kLowSurrogate && i + 1 < units.size() &&
                         units[i + 1] >= kLowSurrogate && units[i + 1] < kSurrogateEnd;
    if (is_pair) {
      append_utf8(text, kFirstBeyondPlane + (static_cast<char32_t>(unit - kHighSurrogate) << 10) +
                            (units[++i] - kLowSurrogate));
    } else {
      append_utf8(text, unit);  // alone, a surrogate becomes U+FFFD
    }
  }
}

}  // namespace patchioner
