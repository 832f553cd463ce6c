#include "text/table_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace patchioner {

CodePointSet::CodePointSet(std::string_view table) {
  for (const std::string_view entry : table_entries(table)) {
    ranges_.push_back(table_range(entry));
  }
  sort();
}

void CodePointSet::add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

void CodePointSet::sort() {
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<std::pair<char32_t, char32_t>> merged;
  for (const auto& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
}

bool CodePointSet::contains(char32_t code_point) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), code_point,
                                      [](char32_t value, const auto& range) { return value < range.first; });
  return after != ranges_.begin() && code_point <= std::prev(after)->second;
}

std::vector<std::string_view> table_entries(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> entries;
  size_t begin = text.find_first_not_of(separators);
  while (begin != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    entries.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(separators, end);
  }
  return entries;
}

char32_t table_code_point(std::string_view hexadecimal) {
  uint32_t value = 0;
  std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), value, 16);
  return value;
}

std::u32string table_code_points(std::string_view joined) {
  std::u32string result;
  for (const std::string_view part : table_entries(joined, "+")) {
    result.push_back(table_code_point(part));
  }
  return result;
}

std::pair<char32_t, char32_t> table_range(std::string_view entry) {
  const size_t dash = entry.find('-');
  const char32_t first = table_code_point(entry.substr(0, dash));
  return {first, dash == std::string_view::npos ? first : table_code_point(entry.substr(dash + 1))};
}

std::vector<std::string> table_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : table_entries(text, "\n")) {
    if (line.front() == ' ' && !lines.empty()) {
      lines.back() += line;
    } else {
      lines.emplace_back(line);
    }
  }
  return lines;
}

}  // namespace patchioner
