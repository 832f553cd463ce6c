#include "text/byte_pair_files.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "text/gzip.hpp"
#include "text/table_text.hpp"

namespace patchioner {

std::string read_unpacked(const std::filesystem::path& path) {
  std::string content = read_file(path);
  return is_gzip(content) ? gunzip(content, path.string()) : content;
}

nlohmann::json parse_vocabulary_json(std::string_view text, const std::string& place) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "{}: the file is no valid JSON ({}); it may be cut", place, error.what());
  }
}

MergeList read_merge_lines(std::string_view text, const std::string& place, size_t most) {
  MergeList merges;
  size_t line_number = 0;
  while (!text.empty() && merges.size() < most) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line_number == 1) {
      if (line.find("#version") == std::string_view::npos) {
        throw Error(ErrorKind::data,
                    "{}: this is no tokenizer vocabulary: the first line must hold '#version', as those of "
                    "bpe_simple_vocab_16e6.txt and merges.txt do",
                    place);
      }
      continue;
    }
    const auto parts = table_entries(line, " \t\r");
    if (parts.empty()) {
      continue;
    }
    if (parts.size() != 2) {
      throw Error(ErrorKind::data,
                  "{}:{}: a merge is two symbols with a space between them, but here are {}; the file is "
                  "damaged or cut",
                  place, line_number, parts.size());
    }
    merges.emplace_back(parts[0], parts[1]);
  }
  if (line_number == 0) {
    throw Error(ErrorKind::data, "{}: the vocabulary is empty", place);
  }
  return merges;
}

MergeList read_merge_array(const nlohmann::json& array, const std::string& place) {
  MergeList merges;
  for (const nlohmann::json& entry : array) {
    if (entry.is_string()) {
      const auto& text = entry.get_ref<const std::string&>();
      const auto parts = table_entries(text, " ");
      if (parts.size() == 2) {
        merges.emplace_back(parts[0], parts[1]);
        continue;
      }
    } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      merges.emplace_back(entry[0].get<std::string>(), entry[1].get<std::string>());
      continue;
    }
    throw Error(ErrorKind::data, "{}: {} is no merge of two symbols", place, entry.dump());
  }
  return merges;
}

std::vector<std::string> read_token_map(const nlohmann::json& map, const std::string& place) {
  const auto fail = [&](const std::string& reason) -> Error {
    return Error(ErrorKind::data, "{}: {}", place, reason);
  };
  if (!map.is_object() || map.empty()) {
    throw fail("a vocabulary is a JSON object from token to id");
  }
  constexpr size_t kMostTokens = 1u << 24;
  if (map.size() > kMostTokens) {
    throw fail("the vocabulary has too many tokens");
  }
  std::vector<std::string> tokens(map.size());
  std::vector<bool> seen(map.size());
  for (const auto& [token, id] : map.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= map.size() || seen[id.get<size_t>()]) {
      throw fail(
          fmt::format("the id of token '{}' is {}, but the ids of {} tokens must be 0 to {}, each once",
                      token, id.dump(), map.size(), map.size() - 1));
    }
    seen[id.get<size_t>()] = true;
    tokens[id.get<size_t>()] = token;
  }
  return tokens;
}

const nlohmann::json* byte_pair_model(const nlohmann::json& document, const std::string& place) {
  const auto model = document.find("model");
  if (model == document.end() || !model->is_object()) {
    return nullptr;
  }
  if (!model->contains("vocab") || !model->contains("merges") || !(*model)["merges"].is_array()) {
    throw Error(ErrorKind::data,
                "{}: the tokenizer's model has no 'vocab' and 'merges'; only byte-pair models can be read",
                place);
  }
  return &*model;
}

}  // namespace patchioner
