#include "entities/entity_names.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "checkpoint/torch_files.hpp"
#include "support/files.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kNameColumn = "DisplayName";  // of Open Images' class descriptions
constexpr std::string_view kCounts = "object_count";     // of VinVL's Visual Genome dictionaries

/// What pickles of protocol 2 and later begin with, and no UTF-8 text.
constexpr char kPickle = '\x80';

/// A name as it stands in a file, and where: a line, or a place in a list.
struct RawName {
  std::string text;
  size_t place;  ///< from 1
};

struct RawNames {
  std::vector<RawName> names;
  std::string_view unit;  ///< what places are numbers of: "line", "entry"
  bool may_repeat = false;
};

std::string normalised(std::string_view text) {
  const std::u32string lowered = lower_case(decode_utf8(text));
  return encode_utf8(trim(lowered));
}

bool is_single_word(std::string_view name) {
  const std::u32string characters = decode_utf8(name);
  return std::none_of(characters.begin(), characters.end(), is_trimmed);
}

/// The lines of a text, without their ends.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    if (lines.back().ends_with('\r')) {
      lines.back().remove_suffix(1);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The fields of a line of a CSV table; a field may be quoted, with quotes in it doubled.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

RawNames read_lines(const std::vector<std::string_view>& lines) {
  RawNames raw{{}, "line"};
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!normalised(lines[i]).empty()) {
      raw.names.push_back({std::string(lines[i]), i + 1});
    }
  }
  return raw;
}

RawNames read_table(const std::vector<std::string_view>& lines, size_t column, const std::string& place) {
  RawNames raw{{}, "line"};
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      continue;
    }
    const std::vector<std::string> fields = fields_of(lines[i]);
    if (column >= fields.size()) {
      throw Error(ErrorKind::data, "{}:{}: the line has {} fields, but {} is column {}", place, i + 1,
                  fields.size(), kNameColumn, column + 1);
    }
    std::string name = fields[column];
    const size_t bracket = name.find('(');
    if (normalised(name).ends_with(')') && bracket != std::string::npos) {
      name.resize(bracket);
    }
    raw.names.push_back({std::move(name), i + 1});
  }
  return raw;
}

RawNames read_json(std::string_view text, const std::string& place) {
  nlohmann::ordered_json json;
  try {
    json = nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "{}: the vocabulary is no valid JSON ({})", place, error.what());
  }
  RawNames raw{{}, "entry"};
  if (json.is_array()) {
    for (const auto& entry : json) {
      if (!entry.is_string()) {
        throw Error(ErrorKind::data, "{}: entry {} of the vocabulary is {}, but names are texts", place,
                    raw.names.size() + 1, entry.type_name());
      }
      raw.names.push_back({entry.get<std::string>(), raw.names.size() + 1});
    }
    return raw;
  }
  const auto counts = json.find(kCounts);
  for (const auto& [name, value] : (counts != json.end() && counts->is_object() ? *counts : json).items()) {
    raw.names.push_back({name, raw.names.size() + 1});
  }
  return raw;
}

/// The names in a pickle: nothing of it is made, so that anything else in it is harmless.
RawNames read_pickle_names(const std::filesystem::path& path) {
  const auto graph = open_object(path);
  NodeId node = graph->root();
  for (const char* key : {"objects", "joint"}) {
    if (graph->is(node, NodeKind::dict)) {
      node = graph->find(node, key);
    }
  }
  if (!graph->is(node, NodeKind::set) && !graph->is(node, NodeKind::list) &&
      !graph->is(node, NodeKind::tuple)) {
    const std::string found = node == kNoNode ? "" : graph->qualified_name(node);
    throw Error(
        ErrorKind::checkpoint,
        "{}: this pickle is no vocabulary: wanted is a list or set of names, or a dict with 'objects' and "
        "in it 'joint'{}",
        path.string(), found.empty() ? "" : "; it holds an object of '" + found + "'");
  }
  RawNames raw{{}, "entry", /*may_repeat=*/true};
  for (const NodeId item : (*graph)[node].items) {
    if (!graph->is(item, NodeKind::text)) {
      const std::string found = graph->qualified_name(item);
      throw Error(ErrorKind::checkpoint, "{}: entry {} of the vocabulary is no text{}; names are texts alone",
                  path.string(), raw.names.size() + 1, found.empty() ? "" : " but '" + found + "'");
    }
    raw.names.push_back({std::string((*graph)[item].text), raw.names.size() + 1});
  }
  return raw;
}

RawNames read_raw(const std::filesystem::path& path) {
  const std::string place = path.string();
  const std::string content = read_file(path);
  if (content.starts_with(kPickle)) {
    return read_pickle_names(path);
  }
  if (const size_t byte = first_ill_formed_utf8(content); byte != std::string_view::npos) {
    throw Error(ErrorKind::data, "{}: this is no vocabulary: it is neither UTF-8 text (byte {}) nor a pickle",
                place, byte);
  }
  const size_t first = content.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && (content[first] == '{' || content[first] == '[')) {
    return read_json(content, place);
  }
  const std::vector<std::string_view> lines = lines_of(content);
  if (!lines.empty()) {
    const std::vector<std::string> header = fields_of(lines[0]);
    const auto column = std::find(header.begin(), header.end(), kNameColumn);
    if (column != header.end()) {
      return read_table(lines, static_cast<size_t>(column - header.begin()), place);
    }
  }
  return read_lines(lines);
}

}  // namespace

std::vector<std::string> read_entity_names(const std::filesystem::path& path,
                                           const EntityNameOptions& options) {
  const RawNames raw = read_raw(path);
  std::unordered_map<std::string, size_t> places;
  std::vector<std::string> names;
  for (const RawName& entry : raw.names) {
    std::string name = normalised(entry.text);
    if (name.empty()) {
      throw Error(ErrorKind::data, "{}: the name in {} {} is empty", path.string(), raw.unit, entry.place);
    }
    const auto [known, added] = places.emplace(name, entry.place);
    if (!added && !raw.may_repeat) {
      throw Error(ErrorKind::data,
                  "{}: the vocabulary has '{}' twice, in {} {} and in {} {}; each name may be there "
                  "once",
                  path.string(), name, raw.unit, known->second, raw.unit, entry.place);
    }
    if (!options.single_words_only || is_single_word(name)) {
      names.push_back(std::move(name));
    }
  }
  if (names.empty()) {
    throw Error(ErrorKind::data, "{}: the vocabulary has no {}names ({} in all)", path.string(),
                options.single_words_only ? "single-word " : "", raw.names.size());
  }
  std::sort(names.begin(), names.end());  // bytes of UTF-8 are in the order of code points
  return names;
}

}  // namespace patchioner
