#include "text/mojibake.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "support/utf8.hpp"
#include "text/damaged_utf8.hpp"
#include "text/mojibake_tables.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"
#include "text/windows_1252.hpp"

namespace patchioner {
namespace {

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t code_point) { return code_point < 0x80; });
}

// --- which texts look broken

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

// --- sequences within otherwise good text

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
    if (const std::optional<std::u32string> decoded = decode_liberal_utf8(*bytes)) {
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
