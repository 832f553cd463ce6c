#include "text/html_entities.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "support/utf8.hpp"
#include "text/html_entity_tables.hpp"
#include "text/table_text.hpp"
#include "text/windows_1252.hpp"

namespace patchioner {
namespace {

constexpr size_t kLongestName = 32;        // of a reference that is looked at, semicolon not counted
constexpr size_t kLongestStrictName = 24;  // of one in the first cleaning stage

struct Entity {
  std::u32string characters;
  bool without_semicolon = false;
};

using EntityMap = std::unordered_map<std::string, Entity>;

const EntityMap& entities() {
  static const EntityMap map = [] {
    EntityMap names;
    for (const std::string_view entry : table_entries(html_entity_tables::kNames)) {
      const size_t mark = entry.find_first_of(":!");
      names[std::string(entry.substr(0, mark))] = {table_code_points(entry.substr(mark + 1)),
                                                   entry[mark] == '!'};
    }
    return names;
  }();
  return map;
}

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}
bool is_hexadecimal(char32_t c) {
  return is_digit(c) || (c >= U'a' && c <= U'f') || (c >= U'A' && c <= U'F');
}
bool is_alphanumeric(char32_t c) {
  return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

/// What a numeric reference stands for (HTML, "Numeric character reference end state"; noncharacters and
/// controls give nothing).
std::u32string numeric_reference(uint32_t value) {
  if (value == 0) {
    return {kReplacementCharacter};
  }
  if (value >= 0x80 && value <= 0x9f) {
    return {from_c1_control(value)};
  }
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    return {kReplacementCharacter};
  }
  const bool control =
      (value >= 0x1 && value <= 0x8) || value == 0xb || (value >= 0xe && value <= 0x1f) || value == 0x7f;
  const bool noncharacter = (value >= 0xfdd0 && value <= 0xfdef) || (value & 0xfffe) == 0xfffe;
  if (control || noncharacter) {
    return {};
  }
  return {static_cast<char32_t>(value)};
}

/// Number of characters from `begin` on, at most `most`, for which `holds`.
template <class Predicate>
size_t run_length(std::u32string_view text, size_t begin, size_t most, Predicate holds) {
  size_t length = 0;
  while (length < most && begin + length < text.size() && holds(text[begin + length])) {
    ++length;
  }
  return length;
}

/// Replaces the reference that begins at `begin` (its ampersand) and returns how many characters it took; 0
/// when there is none.
size_t replace_reference(std::u32string_view text, size_t begin, std::u32string& out) {
  const size_t name = begin + 1;
  const auto semicolon = [&](size_t position) -> size_t {
    return position < text.size() && text[position] == U';' ? 1 : 0;
  };
  if (name < text.size() && text[name] == U'#') {
    const bool hexadecimal = name + 1 < text.size() && (text[name + 1] == U'x' || text[name + 1] == U'X');
    const size_t digits = name + (hexadecimal ? 2 : 1);
    const size_t count = run_length(text, digits, text.size(), hexadecimal ? is_hexadecimal : is_digit);
    if (count == 0) {
      return 0;
    }
    uint32_t value = 0;
    for (size_t position = digits; position < digits + count; ++position) {
      const char32_t c = text[position];
      const uint32_t digit = is_digit(c) ? c - U'0' : (c | 0x20) - U'a' + 10;
      value = std::min<uint64_t>(uint64_t{value} * (hexadecimal ? 16 : 10) + digit, 0x110000);
    }
    out += numeric_reference(value);
    return digits + count + semicolon(digits + count) - begin;
  }
  const size_t count = run_length(text, name, kLongestName, [](char32_t c) {
    return c != U'\t' && c != U'\n' && c != U'\f' && c != U' ' && c != U'<' && c != U'&' && c != U'#' &&
           c != U';';
  });
  if (count == 0) {
    return 0;
  }
  const size_t total = 1 + count + semicolon(name + count);
  const std::string spelled = encode_utf8(text.substr(name, count));
  const auto exact = entities().find(spelled);
  if (exact != entities().end() && (semicolon(name + count) == 1 || exact->second.without_semicolon)) {
    out += exact->second.characters;
    return total;
  }
  // The longest proper beginning that is known without a semicolon; such names are ASCII, so bytes may be
  // counted.
  size_t length = std::min(count + semicolon(name + count) - 1, spelled.size());
  for (; length >= 2; --length) {
    const auto found = entities().find(spelled.substr(0, length));
    if (found != entities().end() && found->second.without_semicolon) {
      out += found->second.characters;
      out += text.substr(name + length, total - 1 - length);
      return total;
    }
  }
  out += text.substr(begin, total);
  return total;
}

/// Names in capitals: those of the names in small letters whose capitals mean nothing by themselves.
const EntityMap& capitalised_entities() {
  static const EntityMap map = [] {
    EntityMap names;
    for (const auto& [name, entity] : entities()) {
      std::string capitals = name;
      bool small = true;
      for (char& letter : capitals) {
        small = small && !(letter >= 'A' && letter <= 'Z');
        letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
      }
      const std::u32string reference = decode_utf8("&" + capitals + ";");
      if (small && unescape_html(reference) == reference) {
        names[capitals] = entity;
      }
    }
    for (const std::string_view entry : table_entries(html_entity_tables::kCapitalisedNames)) {
      const size_t colon = entry.find(':');
      names[std::string(entry.substr(0, colon))] = {table_code_points(entry.substr(colon + 1)), false};
    }
    return names;
  }();
  return map;
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  size_t position = 0;
  while (position < text.size()) {
    const size_t taken = text[position] == U'&' ? replace_reference(text, position, result) : 0;
    if (taken == 0) {
      result.push_back(text[position++]);
    } else {
      position += taken;
    }
  }
  return result;
}

std::u32string unescape_strict_html(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  size_t position = 0;
  while (position < text.size()) {
    if (text[position] != U'&') {
      result.push_back(text[position++]);
      continue;
    }
    const bool numeric = position + 1 < text.size() && text[position + 1] == U'#';
    const size_t name = position + (numeric ? 2 : 1);
    const size_t count = run_length(text, name, kLongestStrictName, is_alphanumeric);
    if (count == 0 || name + count >= text.size() || text[name + count] != U';') {
      result.push_back(text[position++]);
      continue;
    }
    const std::u32string_view reference = text.substr(position, name + count + 1 - position);
    position += reference.size();
    if (numeric) {
      const std::u32string unescaped = unescape_html(reference);
      result += unescaped.find(U';') == std::u32string::npos ? std::u32string_view(unescaped) : reference;
      continue;
    }
    const std::string spelled = encode_utf8(text.substr(name, count));
    const auto capitals = capitalised_entities().find(spelled);
    const auto known = entities().find(spelled);
    if (capitals != capitalised_entities().end()) {
      result += capitals->second.characters;
    } else if (known != entities().end()) {
      result += known->second.characters;
    } else {
      result += reference;
    }
  }
  return result;
}

}  // namespace patchioner
