// Reads the tables of facts of this folder: entries separated by white space, hexadecimal code points. They
// are our own constants, so that there are no errors to report.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// A set of code points as sorted, disjoint ranges.
class CodePointSet {
 public:
  CodePointSet() = default;
  /// From entries "41" and "41-5a".
  explicit CodePointSet(std::string_view table);

  /// Adds a range; after the last one, call sort().
  void add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
  void add(const CodePointSet& other);
  void sort();

  bool contains(char32_t code_point) const;

 private:
  std::vector<std::pair<char32_t, char32_t>> ranges_;
};

/// The parts of `text` between runs of the separators; empty parts are left out.
std::vector<std::string_view> table_entries(std::string_view text, std::string_view separators = " \n");

/// "1f9" -> U+01F9.
char32_t table_code_point(std::string_view hexadecimal);

/// "66+66+69" -> three code points.
std::u32string table_code_points(std::string_view joined);

/// "41-5a" or "41" as first and last.
std::pair<char32_t, char32_t> table_range(std::string_view entry);

/// Lines; one that begins with a space is joined to the line before it.
std::vector<std::string> table_lines(std::string_view text);

}  // namespace patchioner
