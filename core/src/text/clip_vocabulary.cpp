#include "text/clip_vocabulary.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "support/files.hpp"
#include "support/utf8.hpp"
#include "text/gzip.hpp"
#include "text/table_text.hpp"

namespace patchioner {
namespace {

/// The published text file holds more merges than CLIP uses.
constexpr size_t kMostTextMerges = 49152 - 256 - 2;

using MergeList = std::vector<std::pair<std::string, std::string>>;

/// Reads "left right" lines. `place` begins messages; the first line, a header, is line 1.
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

int32_t add_token(ClipVocabulary& vocabulary, std::string token) {
  const auto id = static_cast<int32_t>(vocabulary.tokens.size());
  vocabulary.ids[token] = id;
  vocabulary.tokens.push_back(std::move(token));
  return id;
}

/// Ids as they follow from the merges alone: bytes, bytes that end a word, merges, markers.
void number_tokens(ClipVocabulary& vocabulary, const MergeList& merges, const std::string& place) {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  for (const char* ending : {"", kEndOfWord}) {
    for (const uint8_t byte : alphabet.order) {
      add_token(vocabulary, alphabet.symbol[byte] + ending);
    }
  }
  for (const auto& [left, right] : merges) {
    for (const std::string& symbol : {left, right}) {
      if (!vocabulary.ids.contains(symbol)) {
        throw Error(ErrorKind::data,
                    "{}: the merge '{} {}' speaks of '{}', which is no byte and no merge before it; the file "
                    "is damaged",
                    place, left, right, symbol);
      }
    }
    add_token(vocabulary, left + right);
  }
  add_token(vocabulary, kStartOfText);
  add_token(vocabulary, kEndOfText);
}

/// Ids as vocab.json gives them.
void read_token_map(ClipVocabulary& vocabulary, const nlohmann::json& map, const std::string& place) {
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
  vocabulary.tokens.resize(map.size());
  std::vector<bool> seen(map.size());
  for (const auto& [token, id] : map.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= map.size() || seen[id.get<size_t>()]) {
      throw fail(
          fmt::format("the id of token '{}' is {}, but the ids of {} tokens must be 0 to {}, each once",
                      token, id.dump(), map.size(), map.size() - 1));
    }
    seen[id.get<size_t>()] = true;
    vocabulary.tokens[id.get<size_t>()] = token;
    vocabulary.ids[token] = id.get<int32_t>();
  }
}

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "{}: the file is no valid JSON ({}); it may be cut", place, error.what());
  }
}

/// Merges of a tokenizer.json: "a b" or ["a", "b"].
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

/// Looks up what encode needs, and refuses a vocabulary that could not represent every text.
void finish(ClipVocabulary& vocabulary, const MergeList& merges, const std::string& place) {
  const auto id_of = [&](const std::string& token, std::string_view what) {
    const auto found = vocabulary.ids.find(token);
    if (found == vocabulary.ids.end()) {
      throw Error(ErrorKind::data, "{}: the vocabulary has no token '{}' ({})", place, token, what);
    }
    return found->second;
  };
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  vocabulary.byte_id.resize(256);
  vocabulary.last_byte_id.resize(256);
  for (size_t byte = 0; byte < 256; ++byte) {
    vocabulary.byte_id[byte] = id_of(alphabet.symbol[byte], "one of the 256 byte symbols");
    vocabulary.last_byte_id[byte] =
        id_of(alphabet.symbol[byte] + kEndOfWord, "one of the 256 byte symbols at the end of a word");
  }
  vocabulary.start_id = id_of(kStartOfText, "the start marker");
  vocabulary.end_id = id_of(kEndOfText, "the end marker");

  std::string content;
  for (const std::string& token : vocabulary.tokens) {
    content += token;
    content += '\n';
  }
  for (const auto& [left, right] : merges) {
    vocabulary.merges.add(id_of(left, "part of a merge"), id_of(right, "part of a merge"),
                          id_of(left + right, "the result of a merge"));
    content += left + ' ' + right + '\n';
  }
  vocabulary.digest = sha256(content);
}

/// The vocabulary file in a folder.
std::filesystem::path find_in_folder(const std::filesystem::path& folder) {
  for (const char* name :
       {"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt", "vocab.json", "tokenizer.json"}) {
    if (std::filesystem::exists(folder / name)) {
      return folder / name;
    }
  }
  throw Error(ErrorKind::io,
              "{}: the folder holds no tokenizer vocabulary; wanted is bpe_simple_vocab_16e6.txt.gz, "
              "vocab.json with merges.txt, or tokenizer.json",
              folder.string());
}

std::string read_unpacked(const std::filesystem::path& path) {
  std::string content = read_file(path);
  return is_gzip(content) ? gunzip(content, path.string()) : content;
}

}  // namespace

ClipVocabulary read_clip_vocabulary(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? find_in_folder(path) : path;
  const std::string place = file.string();
  const std::string content = read_unpacked(file);

  ClipVocabulary vocabulary;
  MergeList merges;
  const size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || content[first] != '{') {
    if (first_ill_formed_utf8(content) != std::string_view::npos) {
      throw Error(ErrorKind::data, "{}: this is no tokenizer vocabulary: neither text nor gzip nor JSON",
                  place);
    }
    merges = read_merge_lines(content, place, kMostTextMerges);
    number_tokens(vocabulary, merges, place);
  } else {
    const nlohmann::json document = parse_json(content, place);
    const auto model = document.find("model");
    if (model != document.end() && model->is_object()) {
      if (!model->contains("vocab") || !model->contains("merges") || !(*model)["merges"].is_array()) {
        throw Error(
            ErrorKind::data,
            "{}: the tokenizer's model has no 'vocab' and 'merges'; only byte-pair models can be read",
            place);
      }
      read_token_map(vocabulary, (*model)["vocab"], place);
      merges = read_merge_array((*model)["merges"], place);
    } else {
      read_token_map(vocabulary, document, place);
      const std::filesystem::path merges_file = file.parent_path() / "merges.txt";
      if (!std::filesystem::exists(merges_file)) {
        throw Error(ErrorKind::io, "{}: the merges are missing; merges.txt must lie beside vocab.json",
                    merges_file.string());
      }
      merges = read_merge_lines(read_unpacked(merges_file), merges_file.string(), SIZE_MAX);
    }
  }
  finish(vocabulary, merges, place);
  return vocabulary;
}

}  // namespace patchioner
