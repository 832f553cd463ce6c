#include "text/unicode.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "text/table_text.hpp"
#include "text/unicode_tables.hpp"

namespace patchioner {
namespace {

constexpr char32_t kCapitalSigma = 0x3a3;
constexpr char32_t kSmallSigma = 0x3c3;
constexpr char32_t kFinalSigma = 0x3c2;
constexpr char32_t kCapitalIWithDot = 0x130;

/// A range whose members, or every second of them, map to consecutive images.
struct LowerRun {
  char32_t first;
  char32_t last;
  char32_t step;
  char32_t image;
};

std::vector<LowerRun> read_lower_runs() {
  std::vector<LowerRun> runs;
  for (const std::string_view entry : table_entries(unicode_tables::kLower)) {
    const auto parts = table_entries(entry, ":");
    const auto ends = table_entries(parts[0], "-/");
    const bool every_second = parts[0].find('/') != std::string_view::npos;
    runs.push_back({table_code_point(ends.front()), table_code_point(ends.back()), every_second ? 2u : 1u,
                    table_code_point(parts[1])});
  }
  return runs;
}

const std::vector<LowerRun>& lower_runs() {
  static const std::vector<LowerRun> runs = read_lower_runs();
  return runs;
}

char32_t simple_lower_case(char32_t code_point) {
  const std::vector<LowerRun>& runs = lower_runs();
  const auto after = std::upper_bound(runs.begin(), runs.end(), code_point,
                                      [](char32_t value, const LowerRun& run) { return value < run.first; });
  if (after == runs.begin()) {
    return code_point;
  }
  const LowerRun& run = *std::prev(after);
  const char32_t distance = code_point - run.first;
  return code_point <= run.last && distance % run.step == 0 ? run.image + distance : code_point;
}

const CodePointSet& cased_letters() {
  static const CodePointSet cased(unicode_tables::kCased);
  return cased;
}

/// A capital sigma ends a word when a cased letter precedes it and none follows, case-ignorable characters
/// skipped.
bool is_final_sigma(std::u32string_view text, size_t position) {
  static const CodePointSet ignorable(unicode_tables::kCaseIgnorable);
  const CodePointSet& cased = cased_letters();
  size_t before = position;
  while (before > 0 && ignorable.contains(text[before - 1])) {
    --before;
  }
  if (before == 0 || !cased.contains(text[before - 1])) {
    return false;
  }
  size_t after = position + 1;
  while (after < text.size() && ignorable.contains(text[after])) {
    ++after;
  }
  return after == text.size() || !cased.contains(text[after]);
}

// Hangul syllables are composed and decomposed by arithmetic (The Unicode Standard, section 3.12).
constexpr char32_t kSyllables = 0xac00;
constexpr char32_t kLeading = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTrailing = 0x11a7;
constexpr char32_t kLeadingCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailingCount = 28;
constexpr char32_t kSyllableCount = kLeadingCount * kVowelCount * kTrailingCount;

/// What normalisation needs to know.
struct Normalization {
  std::unordered_map<char32_t, std::u32string> decompositions;
  std::unordered_map<uint64_t, char32_t> compositions;
  std::unordered_map<char32_t, uint8_t> classes;

  static uint64_t pair(char32_t first, char32_t second) { return uint64_t{first} << 32 | second; }

  Normalization() {
    const CodePointSet excluded(unicode_tables::kCompositionExclusions);
    char32_t code_point = 0;
    for (const std::string_view entry : table_entries(unicode_tables::kDecompositions)) {
      const auto parts = table_entries(entry, ":");
      code_point = parts.size() == 2 ? table_code_point(parts[0]) : code_point + 1;
      const std::u32string image = table_code_points(parts.back());
      if (image.size() == 2 && !excluded.contains(code_point)) {
        compositions[pair(image[0], image[1])] = code_point;
      }
      decompositions[code_point] = image;
    }
    uint8_t combining_class = 0;
    for (const std::string_view entry : table_entries(unicode_tables::kCombiningClasses)) {
      if (entry.front() == '=') {
        combining_class = static_cast<uint8_t>(table_code_point(entry.substr(1)));
        continue;
      }
      const auto [first, last] = table_range(entry);
      for (char32_t member = first; member <= last; ++member) {
        classes[member] = combining_class;
      }
    }
  }

  uint8_t combining_class(char32_t code_point) const {
    const auto found = classes.find(code_point);
    return found == classes.end() ? 0 : found->second;
  }

  void decompose(char32_t code_point, std::u32string& out) const {
    if (code_point >= kSyllables && code_point < kSyllables + kSyllableCount) {
      const char32_t index = code_point - kSyllables;
      out.push_back(kLeading + index / (kVowelCount * kTrailingCount));
      out.push_back(kVowels + index % (kVowelCount * kTrailingCount) / kTrailingCount);
      if (index % kTrailingCount != 0) {
        out.push_back(kTrailing + index % kTrailingCount);
      }
      return;
    }
    const auto found = decompositions.find(code_point);
    if (found == decompositions.end()) {
      out.push_back(code_point);
      return;
    }
    for (const char32_t part : found->second) {
      decompose(part, out);
    }
  }

  /// The composite of two characters, or 0.
  char32_t compose(char32_t first, char32_t second) const {
    if (first >= kLeading && first < kLeading + kLeadingCount && second >= kVowels &&
        second < kVowels + kVowelCount) {
      return kSyllables + ((first - kLeading) * kVowelCount + (second - kVowels)) * kTrailingCount;
    }
    if (first >= kSyllables && first < kSyllables + kSyllableCount &&
        (first - kSyllables) % kTrailingCount == 0 && second > kTrailing &&
        second < kTrailing + kTrailingCount) {
      return first + (second - kTrailing);
    }
    const auto found = compositions.find(pair(first, second));
    return found == compositions.end() ? 0 : found->second;
  }
};

const Normalization& normalization() {
  static const Normalization tables;
  return tables;
}

}  // namespace

bool is_letter(char32_t code_point) {
  static const CodePointSet letters(unicode_tables::kLetters);
  return letters.contains(code_point);
}

bool is_number(char32_t code_point) {
  static const CodePointSet numbers(unicode_tables::kNumbers);
  return numbers.contains(code_point);
}

bool is_white_space(char32_t code_point) {
  return (code_point >= 0x9 && code_point <= 0xd) || code_point == 0x20 || code_point == 0x85 ||
         code_point == 0xa0 || code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200a) ||
         code_point == 0x2028 || code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
         code_point == 0x3000;
}

bool is_trimmed(char32_t code_point) {
  return is_white_space(code_point) || (code_point >= 0x1c && code_point <= 0x1f);
}

bool is_word_character(char32_t code_point) {
  static const CodePointSet newer(unicode_tables::kLettersAndNumbersSince14);
  return code_point == U'_' ||
         ((is_letter(code_point) || is_number(code_point)) && !newer.contains(code_point));
}

std::u32string lower_case(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (size_t position = 0; position < text.size(); ++position) {
    const char32_t code_point = text[position];
    if (code_point < 0x80) {
      result.push_back(code_point >= U'A' && code_point <= U'Z' ? code_point + 32 : code_point);
    } else if (code_point == kCapitalSigma) {
      result.push_back(is_final_sigma(text, position) ? kFinalSigma : kSmallSigma);
    } else if (code_point == kCapitalIWithDot) {
      result += U"i\u0307";
    } else {
      result.push_back(simple_lower_case(code_point));
    }
  }
  return result;
}

char32_t upper_case_letter(char32_t code_point) {
  constexpr char32_t kSharpS = 0xdf;  // its capital U+1E9E is not what it becomes in upper case
  if (code_point < 0x80) {
    return code_point >= U'a' && code_point <= U'z' ? code_point - 32 : code_point;
  }
  if (code_point == kSharpS) {
    return code_point;
  }
  for (const LowerRun& run : lower_runs()) {
    const char32_t distance = code_point - run.image;
    if (code_point >= run.image && distance <= run.last - run.first && distance % run.step == 0) {
      return run.first + distance;
    }
  }
  return code_point;
}

bool is_upper_case(std::u32string_view text) {
  bool any = false;
  for (const char32_t code_point : text) {
    if (cased_letters().contains(code_point)) {
      if (lower_case(std::u32string_view(&code_point, 1)) == std::u32string_view(&code_point, 1)) {
        return false;
      }
      any = true;
    }
  }
  return any;
}

std::u32string decompose_canonically(std::u32string_view text) {
  const Normalization& tables = normalization();
  std::u32string decomposed;
  decomposed.reserve(text.size());
  for (const char32_t code_point : text) {
    tables.decompose(code_point, decomposed);
  }
  for (size_t begin = 0; begin < decomposed.size();) {
    size_t end = begin;
    while (end < decomposed.size() && tables.combining_class(decomposed[end]) != 0) {
      ++end;
    }
    if (end - begin > 1) {
      std::stable_sort(decomposed.begin() + static_cast<std::ptrdiff_t>(begin),
                       decomposed.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](char32_t left, char32_t right) {
                         return tables.combining_class(left) < tables.combining_class(right);
                       });
    }
    begin = end + 1;
  }
  return decomposed;
}

std::u32string compose_canonically(std::u32string text) {
  // Below U+0300 nothing combines and nothing decomposes for good.
  if (std::all_of(text.begin(), text.end(), [](char32_t code_point) { return code_point < 0x300; })) {
    return text;
  }
  const Normalization& tables = normalization();
  const std::u32string decomposed = decompose_canonically(text);

  std::u32string result;
  result.reserve(decomposed.size());
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t starter = kNone;
  int last_class = 0;  // of the character appended last
  for (const char32_t code_point : decomposed) {
    const int combining_class = tables.combining_class(code_point);
    if (starter != kNone && (last_class == 0 || last_class < combining_class)) {
      if (const char32_t composite = tables.compose(result[starter], code_point); composite != 0) {
        result[starter] = composite;
        continue;
      }
    }
    if (combining_class == 0) {
      starter = result.size();
    }
    last_class = combining_class;
    result.push_back(code_point);
  }
  return result;
}

std::u32string_view trim(std::u32string_view text) {
  while (!text.empty() && is_trimmed(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_trimmed(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace patchioner
