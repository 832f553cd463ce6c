#include "text/damaged_utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

/// A view of bytes in which every position may be asked for.
struct Bytes {
  std::string_view text;

  int at(size_t position) const { return position < text.size() ? static_cast<uint8_t>(text[position]) : -1; }
  bool between(size_t position, int low, int high) const {
    const int byte = at(position);
    return byte >= low && byte <= high;
  }
  bool is(size_t position, int byte) const { return at(position) == byte; }
  bool continuation(size_t position) const { return between(position, 0x80, 0xbf); }
  /// A continuation byte that is not itself a space in Latin-1.
  bool printable_continuation(size_t position) const {
    return continuation(position) && !is(position, 0x85) && !is(position, 0xa0);
  }
};

/// Length of a UTF-8 sequence at `position` in which the byte A0 was turned into a space, or 0.
size_t length_with_lost_space(Bytes bytes, size_t position) {
  const int lead = bytes.at(position);
  const bool two =
      lead == 0xc2 || lead == 0xc3 || lead == 0xc5 || lead == 0xce || lead == 0xd0 || lead == 0xd9;
  if (two && bytes.is(position + 1, 0x20)) {
    return 2;
  }
  if ((lead == 0xe2 || lead == 0xe3) && bytes.is(position + 1, 0x20) &&
      bytes.printable_continuation(position + 2)) {
    return 3;
  }
  if (lead >= 0xe0 && lead <= 0xe3 && bytes.printable_continuation(position + 1) &&
      bytes.is(position + 2, 0x20)) {
    return 3;
  }
  if (lead == 0xf0) {
    const auto space_or = [&](size_t which) {
      for (size_t index = 1; index <= 3; ++index) {
        const bool good =
            index == which ? bytes.is(position + index, 0x20) : bytes.continuation(position + index);
        if (!good) {
          return false;
        }
      }
      return true;
    };
    if (space_or(1) || space_or(2) || space_or(3)) {
      return 4;
    }
  }
  return 0;
}

/// Length of a UTF-8 sequence at `position` in which a byte was lost to a question mark or to 1A, or 0.
size_t length_with_lost_byte(Bytes bytes, size_t position) {
  const int lead = bytes.at(position);
  const auto lost = [&](size_t index) { return bytes.is(position + index, 0x1a); };
  const auto lost_or_mark = [&](size_t index) { return lost(index) || bytes.is(position + index, 0x3f); };
  const auto any = [&](size_t index) { return lost(index) || bytes.continuation(position + index); };
  const auto mark_or_any = [&](size_t index) {
    return lost_or_mark(index) || bytes.continuation(position + index);
  };
  if (lead >= 0xc2 && lead <= 0xdf && lost(1)) {
    return 2;
  }
  if ((lead == 0xc2 || lead == 0xc3) && bytes.is(position + 1, 0x3f)) {
    return 2;
  }
  if (lead == 0xed && bytes.between(position + 1, 0xa0, 0xaf) && bytes.is(position + 3, 0xed) &&
      bytes.between(position + 4, 0xb0, 0xbf) &&
      ((lost_or_mark(2) && mark_or_any(5)) || (mark_or_any(2) && lost_or_mark(5)))) {
    return 6;
  }
  if (lead >= 0xe0 && lead <= 0xef && ((lost_or_mark(1) && any(2)) || (any(1) && lost_or_mark(2)))) {
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4 &&
      ((lost_or_mark(1) && any(2) && any(3)) || (any(1) && lost_or_mark(2) && any(3)) ||
       (any(1) && any(2) && lost_or_mark(3)))) {
    return 4;
  }
  return lost(0) ? 1 : 0;
}

/// UTF-8 with two liberties: C0 80 is U+0000, and a pair of surrogates written as two sequences is one
/// character.
std::optional<std::u32string> decode_utf8_variant(std::string_view text) {
  std::u32string result;
  const Bytes bytes{text};
  for (size_t position = 0; position < text.size();) {
    if (bytes.is(position, 0xc0) && bytes.is(position + 1, 0x80)) {
      result.push_back(0);
      position += 2;
      continue;
    }
    if (bytes.is(position, 0xed) && bytes.between(position + 1, 0xa0, 0xaf) &&
        bytes.continuation(position + 2) && bytes.is(position + 3, 0xed) &&
        bytes.between(position + 4, 0xb0, 0xbf) && bytes.continuation(position + 5)) {
      const auto bits = [&](size_t index, int mask) {
        return static_cast<char32_t>(bytes.at(position + index) & mask);
      };
      result.push_back(0x10000 + (bits(1, 0x0f) << 16) + (bits(2, 0x3f) << 10) + (bits(4, 0x0f) << 6) +
                       bits(5, 0x3f));
      position += 6;
      continue;
    }
    // Everything up to the next byte that could begin one of the two is ordinary.
    const size_t end = std::min(text.find_first_of("\xc0\xed", position + 1), text.size());
    const std::string_view part = text.substr(position, end - position);
    if (first_ill_formed_utf8(part) != std::string_view::npos) {
      return std::nullopt;
    }
    result += decode_utf8(part);
    position = end;
  }
  return result;
}

}  // namespace

std::string restore_lost_spaces(const std::string& text) {
  bool any = false;
  for (size_t position = 0; position < text.size() && !any; ++position) {
    any = length_with_lost_space({text}, position) != 0;
  }
  if (!any) {
    return text;
  }
  // The lone word "à": here the space stood for itself, and its A0 was lost altogether. Not so before the
  // Spanish, Portuguese and Italian words that begin like this.
  std::string widened;
  for (size_t position = 0; position < text.size(); ++position) {
    const std::string_view rest = std::string_view(text).substr(position);
    widened.push_back(text[position]);
    if (!rest.starts_with("\xc3 ")) {
      continue;
    }
    const std::string_view next = rest.substr(2);
    if (!next.starts_with(" ") && !next.starts_with("quele") && !next.starts_with("quela") &&
        !next.starts_with("quilo") && !next.starts_with("s ")) {
      widened += "\xa0";
      widened += " ";
      ++position;
    }
  }
  std::string result;
  for (size_t position = 0; position < widened.size();) {
    const size_t length = length_with_lost_space({widened}, position);
    std::string sequence = widened.substr(position, std::max<size_t>(length, 1));
    if (length != 0) {
      std::replace(sequence.begin(), sequence.end(), ' ', '\xa0');
    }
    result += sequence;
    position += sequence.size();
  }
  return result;
}

std::string mark_lost_bytes(const std::string& text) {
  std::string result;
  for (size_t position = 0; position < text.size();) {
    const size_t length = length_with_lost_byte({text}, position);
    if (length == 0) {
      result.push_back(text[position++]);
    } else {
      result += "\xef\xbf\xbd";
      position += length;
    }
  }
  return result;
}

std::optional<std::u32string> decode_liberal_utf8(const std::string& bytes) {
  if (bytes.find_first_of("\xc0\xed") != std::string::npos) {
    return decode_utf8_variant(bytes);
  }
  if (first_ill_formed_utf8(bytes) != std::string_view::npos) {
    return std::nullopt;
  }
  return decode_utf8(bytes);
}
}  // namespace patchioner
