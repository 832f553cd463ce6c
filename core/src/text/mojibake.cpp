#include "text/mojibake.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "text/mojibake_tables.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"
#include "text/windows_1252.hpp"

namespace patchioner {
namespace {

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t code_point) { return code_point < 0x80; });
}

// --- which texts look broken
// --------------------------------------------------------------------------------------------------

/// One element of a badness rule.
struct RuleElement {
  CodePointSet set;
  bool space = false;
  bool word = false;
  bool negated = false;
  bool optional = false;
  bool any_but_line_end = false;
  bool start = false;

  bool takes(char32_t code_point) const {
    if (any_but_line_end) {
      return code_point != U'\n';
    }
    const bool inside = set.contains(code_point) || (space && is_trimmed(code_point)) ||
                        (word && is_word_character(code_point));
    return inside != negated;
  }
};

using Rule = std::vector<RuleElement>;

/// "name: ranges" lines as sets.
std::map<std::string, CodePointSet, std::less<>> read_named_sets(const char* table) {
  std::map<std::string, CodePointSet, std::less<>> sets;
  for (const std::string& line : table_lines(table)) {
    const size_t colon = line.find(':');
    sets.emplace(line.substr(0, colon), CodePointSet(std::string_view(line).substr(colon + 1)));
  }
  return sets;
}

RuleElement read_element(std::string_view entry,
                         const std::map<std::string, CodePointSet, std::less<>>& classes) {
  RuleElement element;
  element.negated = entry.front() == '!';
  element.optional = entry.back() == '?';
  for (const std::string_view part : table_entries(entry, "!?,")) {
    if (part == "^") {
      element.start = true;
    } else if (part == ".") {
      element.any_but_line_end = true;
    } else if (part == "space") {
      element.space = true;
    } else if (part == "word") {
      element.word = true;
    } else if (const auto named = classes.find(part); named != classes.end()) {
      element.set.add(named->second);
    } else {
      const auto [first, last] = table_range(part);
      element.set.add(first, last);
    }
  }
  element.set.sort();
  return element;
}

const std::vector<Rule>& badness_rules() {
  static const std::vector<Rule> rules = [] {
    const auto classes = read_named_sets(mojibake_tables::kClasses);
    std::vector<Rule> read;
    for (const std::string& line : table_lines(mojibake_tables::kBadnessRules)) {
      Rule& rule = read.emplace_back();
      for (const std::string_view entry : table_entries(line)) {
        rule.push_back(read_element(entry, classes));
      }
    }
    return read;
  }();
  return rules;
}

bool matches_at(const Rule& rule, size_t element, std::u32string_view text, size_t position) {
  for (; element < rule.size(); ++element) {
    const RuleElement& wanted = rule[element];
    if (wanted.start) {
      if (position != 0) {
        return false;
      }
      continue;
    }
    const bool taken = position < text.size() && wanted.takes(text[position]);
    if (wanted.optional && matches_at(rule, element + 1, text, position)) {
      return true;
    }
    if (!taken) {
      return false;
    }
    ++position;
  }
  return true;
}

// --- single-byte character sets
// -----------------------------------------------------------------------------------------------

constexpr uint8_t kSubstitute = 0x1a;

struct Codec {
  std::string name;
  bool sloppy = false;                          ///< undefined bytes are controls, and 0x1A stands for U+FFFD
  std::unordered_map<char32_t, uint8_t> bytes;  ///< of characters above U+007F

  /// The bytes of a text, or nothing when a character has none.
  std::optional<std::string> encode(std::u32string_view text) const {
    std::string result;
    result.reserve(text.size());
    for (const char32_t code_point : text) {
      if (code_point < 0x80) {
        if (sloppy && code_point == kSubstitute) {
          return std::nullopt;
        }
        result.push_back(static_cast<char>(code_point));
        continue;
      }
      const auto found = bytes.find(code_point);
      if (found == bytes.end()) {
        return std::nullopt;
      }
      result.push_back(static_cast<char>(found->second));
    }
    return result;
  }
};

const std::vector<Codec>& codecs() {
  static const std::vector<Codec> all = [] {
    std::vector<Codec> read;
    for (const std::string& line : table_lines(mojibake_tables::kCodecs)) {
      const size_t colon = line.find(':');
      Codec& codec = read.emplace_back();
      codec.name = line.substr(0, colon);
      codec.sloppy = codec.name.starts_with("sloppy-");
      uint32_t byte = 0x80;
      for (const std::string_view entry : table_entries(std::string_view(line).substr(colon + 1))) {
        const auto [first, last] = table_range(entry);
        for (char32_t code_point = first; code_point <= last; ++code_point) {
          codec.bytes[code_point] = static_cast<uint8_t>(byte++);
        }
      }
      if (codec.sloppy) {
        codec.bytes[kReplacementCharacter] = kSubstitute;
      }
    }
    return read;
  }();
  return all;
}

// --- bytes that suffered on their way
// -----------------------------------------------------------------------------------------

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

/// Gives sequences that lost the byte A0 to a space it back.
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

/// Puts the UTF-8 of U+FFFD where a byte of a sequence was lost.
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

std::optional<std::u32string> decode_bytes(const std::string& bytes) {
  if (bytes.find_first_of("\xc0\xed") != std::string::npos) {
    return decode_utf8_variant(bytes);
  }
  if (first_ill_formed_utf8(bytes) != std::string_view::npos) {
    return std::nullopt;
  }
  return decode_utf8(bytes);
}

// --- sequences within otherwise good text
// -------------------------------------------------------------------------------------

struct Utf8Clues {
  std::map<std::string, CodePointSet, std::less<>> sets = read_named_sets(mojibake_tables::kUtf8Clues);
  const CodePointSet& first_of_2 = sets.at("first_of_2");
  const CodePointSet& first_of_3 = sets.at("first_of_3");
  const CodePointSet& first_of_4 = sets.at("first_of_4");
  const CodePointSet& continuation = sets.at("continuation");
  const CodePointSet& strict = sets.at("continuation_strict");

  /// Length of one sequence at `position`, or 0.
  size_t sequence_length(std::u32string_view text, size_t position) const {
    const size_t length = first_of_2.contains(text[position])   ? 2
                          : first_of_3.contains(text[position]) ? 3
                          : first_of_4.contains(text[position]) ? 4
                                                                : 0;
    if (length == 0 || position + length > text.size()) {
      return 0;
    }
    const std::u32string_view rest = text.substr(position + 1, length - 1);
    return std::all_of(rest.begin(), rest.end(), [&](char32_t c) { return continuation.contains(c); })
               ? length
               : 0;
  }
};

std::u32string repair_embedded(std::u32string_view text) {
  static const Utf8Clues clues;
  std::u32string result;
  for (size_t position = 0; position < text.size();) {
    size_t end = position;
    if (position == 0 || !clues.strict.contains(text[position - 1])) {
      for (size_t length = 1; length != 0 && end < text.size(); end += length) {
        length = clues.sequence_length(text, end);
      }
    }
    if (end == position) {
      result.push_back(text[position++]);
      continue;
    }
    const std::u32string_view match = text.substr(position, end - position);
    // The whole text was tried before this, so that repairs end.
    if (match.size() < text.size() && looks_broken(match)) {
      result += repair_mojibake(std::u32string(match));
    } else {
      result += match;
    }
    position = end;
  }
  return result;
}

/// One step; the text itself when there is nothing to do.
std::u32string repair_step(const std::u32string& text) {
  if (is_ascii(text) || !looks_broken(text)) {
    return text;
  }
  for (const Codec& codec : codecs()) {
    std::optional<std::string> bytes = codec.encode(text);
    if (!bytes) {
      continue;
    }
    if (codec.name != "macroman") {
      bytes = restore_lost_spaces(*bytes);
    }
    if (codec.sloppy) {
      bytes = mark_lost_bytes(*bytes);
    }
    if (const std::optional<std::u32string> decoded = decode_bytes(*bytes)) {
      return *decoded;
    }
  }
  if (std::u32string repaired = repair_embedded(text); repaired != text) {
    return repaired;
  }
  // Latin-1 that was Windows-1252 all along, and C1 controls, which nobody writes, end up the same here:
  // where the whole text is Latin-1 and holds none of the bytes that Windows-1252 leaves open, and where it
  // does not.
  std::u32string result = text;
  std::transform(result.begin(), result.end(), result.begin(), from_c1_control);
  return result;
}

}  // namespace

bool looks_broken(std::u32string_view text) {
  for (const Rule& rule : badness_rules()) {
    for (size_t position = 0; position < text.size(); ++position) {
      if (matches_at(rule, 0, text, position)) {
        return true;
      }
      if (rule.front().start) {
        break;
      }
    }
  }
  return false;
}

std::u32string repair_mojibake(std::u32string text) {
  while (true) {
    std::u32string repaired = repair_step(text);
    if (repaired == text) {
      return text;
    }
    text = std::move(repaired);
  }
}

}  // namespace patchioner
