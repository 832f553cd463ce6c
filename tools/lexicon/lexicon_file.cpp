#include "lexicon_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <patchioner/error.hpp>
#include <vector>

#include "closed_classes.hpp"
#include "entities/hyphenated_words.hpp"
#include "support/files.hpp"
#include "support/split.hpp"

namespace patchioner::lexicon {
namespace {

constexpr size_t kWidth = 150;  // of a line

bool is_short_enough(const std::string& name) {
  return !name.empty() && std::count(name.begin(), name.end(), ' ') < 3;
}

/// Entries between brackets, as many a line as there is room for. They hold nothing that JSON escapes.
std::string wrapped(char open, const std::vector<std::string>& entries, char close) {
  std::string text(1, open);
  size_t width = kWidth;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (width + entries[i].size() + 1 > kWidth) {
      text += "\n";
      width = 0;
    }
    text += entries[i] + (i + 1 < entries.size() ? "," : "");
    width += entries[i].size() + 1;
  }
  return text + close;
}

std::string quoted(const std::string& word) {
  return '"' + word + '"';
}

template <class Container>
std::string list_of(const Container& words) {
  std::vector<std::string> entries;
  for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
    entries.push_back(quoted(word));
  }
  return wrapped('[', entries, ']');
}

std::string object_of(const std::map<std::string, std::string>& pairs) {
  std::vector<std::string> entries;
  for (const auto& [word, meaning] : pairs) {
    entries.push_back(quoted(word) + ":" + quoted(meaning));
  }
  return wrapped('{', entries, '}');
}

}  // namespace

Names names_of_things(const std::filesystem::path& table) {
  Names names;
  size_t line_number = 0;
  for (const std::string& line : split(read_file(table), '\n')) {
    ++line_number;
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::vector<std::string> fields = split(line, '\t');
    if (fields.size() < 4) {
      throw Error(
          ErrorKind::data,
          "{}:{}: {} fields separated by tabs, expected a noun in the second and its plural in the fourth",
          table.string(), line_number, fields.size());
    }
    for (const size_t column : {1, 3}) {
      if (is_short_enough(fields[column])) {
        names.insert(fields[column]);
      }
    }
  }
  return names;
}

Names names_of_list(const std::filesystem::path& list) {
  Names names;
  for (const std::string& line : split(read_file(list), '\n')) {
    if (is_short_enough(line)) {
      names.insert(line);
    }
  }
  return names;
}

std::unordered_set<std::string> words_of_text(const std::filesystem::path& text) {
  std::unordered_set<std::string> words;
  const std::string content = read_file(text);
  std::string_view rest = content;
  while (!rest.empty()) {
    const size_t length = hyphenated_length(rest, [](char32_t c) { return c >= U'a' && c <= U'z'; });
    if (length > 0) {
      words.emplace(rest.substr(0, length));
    }
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return words;
}

std::string lexicon_document(const Names& entities, const Names& attributes) {
  return fmt::format(
      "{{\n\"about\":\"Made by tools/lexicon from WordNet 3.0 (copyright 2006 by Princeton University; see "
      "LICENSE) and the emoji world's names.\",\n\"entities\":{},\n\"attributes\":{},\n\"aliases\":{},\n"
      "\"numbers\":{},\n\"copulas\":{},\n\"skip_after_copula\":{},\n\"dropped_relation_words\":{}\n}}\n",
      list_of(entities), list_of(attributes), object_of(aliases()), object_of(numbers()), list_of(copulas()),
      list_of(degree_words()), list_of(words_without_relation()));
}

}  // namespace patchioner::lexicon
