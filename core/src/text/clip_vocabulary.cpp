#include "text/clip_vocabulary.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "support/files.hpp"
#include "support/utf8.hpp"
#include "text/byte_pair_files.hpp"

namespace patchioner {
namespace {

/// The published text file holds more merges than CLIP uses.
constexpr size_t kMostTextMerges = 49152 - 256 - 2;

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
void take_token_map(ClipVocabulary& vocabulary, const nlohmann::json& map, const std::string& place) {
  vocabulary.tokens = read_token_map(map, place);
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    vocabulary.ids[vocabulary.tokens[id]] = static_cast<int32_t>(id);
  }
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
    const nlohmann::json document = parse_vocabulary_json(content, place);
    if (const nlohmann::json* model = byte_pair_model(document, place); model != nullptr) {
      take_token_map(vocabulary, (*model)["vocab"], place);
      merges = read_merge_array((*model)["merges"], place);
    } else {
      take_token_map(vocabulary, document, place);
      const std::filesystem::path merges_file = file.parent_path() / "merges.txt";
      if (!std::filesystem::exists(merges_file)) {
        throw Error(ErrorKind::io, "{}: the merges are missing; merges.txt must lie beside vocab.json",
                    merges_file.string());
      }
      merges = read_merge_lines(read_unpacked(merges_file), merges_file.string());
    }
  }
  finish(vocabulary, merges, place);
  return vocabulary;
}

}  // namespace patchioner
