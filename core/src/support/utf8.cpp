#include "support/utf8.hpp"

#include <cstdint>

namespace patchioner {
namespace {

struct Decoded {
  char32_t code_point;
  size_t length;  ///< bytes taken
  bool well_formed;
};

/// One step of decoding; `text` is not empty.
Decoded decode_one(std::string_view text) {
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  if (lead < 0xc2 || lead > 0xf4) {
    return {kReplacementCharacter, 1, false};
  }
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code_point = lead & (0x7fu >> length);
  for (size_t index = 1; index < length; ++index) {
    // The second byte's range keeps out overlong forms, surrogates and values above U+10FFFF.
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (index == 1) {
      low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    }
    if (index >= text.size() || byte(index) < low || byte(index) > high) {
      return {kReplacementCharacter, index, false};
    }
    code_point = code_point << 6 | (byte(index) & 0x3fu);
  }
  return {code_point, length, true};
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Decoded decoded = decode_one(text);
    result.push_back(decoded.code_point);
    text.remove_prefix(decoded.length);
  }
  return result;
}

void append_utf8(std::string& text, char32_t code_point) {
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) {
    code_point = kReplacementCharacter;
  }
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
    return;
  }
  const int more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  const uint32_t marks[] = {0, 0xc0, 0xe0, 0xf0};
  text.push_back(static_cast<char>(marks[more] | code_point >> (6 * more)));
  for (int left = more - 1; left >= 0; --left) {
    text.push_back(static_cast<char>(0x80u | (code_point >> (6 * left) & 0x3fu)));
  }
}

std::string encode_utf8(std::u32string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char32_t code_point : text) {
    append_utf8(result, code_point);
  }
  return result;
}

std::string well_formed_utf8(std::string_view text) {
  return first_ill_formed_utf8(text) == std::string_view::npos ? std::string(text)
                                                               : encode_utf8(decode_utf8(text));
}

size_t first_ill_formed_utf8(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    const Decoded decoded = decode_one(text.substr(position));
    if (!decoded.well_formed) {
      return position;
    }
    position += decoded.length;
  }
  return std::string_view::npos;
}

}  // namespace patchioner
