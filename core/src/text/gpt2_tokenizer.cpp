#include "text/gpt2_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>
#include <unordered_map>
#include <utility>

#include "support/files.hpp"
#include "support/utf8.hpp"
#include "text/byte_pair_files.hpp"
#include "text/byte_pairs.hpp"
#include "text/character_class.hpp"
#include "text/piece_cache.hpp"
#include "text/unicode.hpp"
#include "text/unicode_categories.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";

/// The contractions that are pieces of their own, and the order in which they are tried.
constexpr std::array<std::string_view, 7> kContractions = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

CharacterClass class_of(char32_t c) {
  if (c < kAsciiEnd) {
    return class_of_ascii(c);
  }
  return is_white_space(c)    ? CharacterClass::space
         : is_letter_of_17(c) ? CharacterClass::letter
         : is_number_of_17(c) ? CharacterClass::number
                              : CharacterClass::other;
}

/// Characters at the start of `text` from `begin` on that are of one class.
template <class Character>
size_t run_length(std::basic_string_view<Character> text, size_t begin, CharacterClass wanted) {
  size_t end = begin;
  while (end < text.size() && class_of(static_cast<char32_t>(text[end])) == wanted) {
    ++end;
  }
  return end - begin;
}

template <class Character>
bool begins_with(std::basic_string_view<Character> text, std::string_view literal) {
  return text.size() >= literal.size() &&
         std::equal(literal.begin(), literal.end(), text.begin(), [](char wanted, Character c) {
           return static_cast<char32_t>(c) == static_cast<char32_t>(wanted);
         });
}

/// Length of the piece at the start of `text`, which is not empty (spec/04 section 8.2).
template <class Character>
size_t piece_length(std::basic_string_view<Character> text) {
  if (text.front() == '\'') {
    for (const std::string_view contraction : kContractions) {
      if (begins_with(text, contraction)) {
        return contraction.size();
      }
    }
  }
  // One space belongs to the letters, numbers or other characters behind it.
  const size_t lead = text.front() == ' ' && text.size() > 1 ? 1 : 0;
  const CharacterClass first = class_of(static_cast<char32_t>(text[lead]));
  if (first != CharacterClass::space) {
    return lead + run_length(text, lead, first);
  }
  // Of a run of white space before a word the last one is left for the word.
  const size_t spaces = run_length(text, 0, CharacterClass::space);
  return spaces > 1 && spaces < text.size() ? spaces - 1 : spaces;
}

std::string as_utf8(std::string_view piece) {
  return std::string(piece);
}
std::string as_utf8(std::u32string_view piece) {
  return encode_utf8(piece);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

template <class Character, class Visit>
void visit_pieces(std::basic_string_view<Character> text, const Visit& visit) {
  while (!text.empty()) {
    const size_t length = piece_length(text);
    visit(as_utf8(text.substr(0, length)));
    text.remove_prefix(length);
  }
}

/// Calls `visit` with each piece in turn.
template <class Visit>
void for_each_piece(std::string_view text, const Visit& visit) {
  if (is_ascii(text)) {
    visit_pieces(text, visit);
  } else {
    visit_pieces(std::u32string_view(decode_utf8(text)), visit);
  }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  size_t found = text.find(from);
  if (found == std::string::npos) {
    return;
  }
  std::string result;
  size_t begin = 0;
  for (; found != std::string::npos; found = text.find(from, begin)) {
    result.append(text, begin, found - begin).append(to);
    begin = found + from.size();
  }
  text = result.append(text, begin);
}

/// The space clean-up of older versions of the reference (spec/04 section 8.3), in its order.
void clean_up_spaces(std::string& text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kReplacements = {
      {{" .", "."},
       {" ?", "?"},
       {" !", "!"},
       {" ,", ","},
       {" ' ", "'"},
       {" n't", "n't"},
       {" 'm", "'m"},
       {" 's", "'s"},
       {" 've", "'ve"},
       {" 're", "'re"}}};
  for (const auto& [from, to] : kReplacements) {
    replace_all(text, from, to);
  }
}

struct Files {
  MergeList merges;
  std::string merges_place;
  std::vector<std::string> tokens;  ///< of vocab.json, by id; empty without it
  std::string tokens_place;
};

/// The file of a tokenizer in a folder.
std::filesystem::path find_in_folder(const std::filesystem::path& folder) {
  for (const char* name : {"merges.txt", "tokenizer.json"}) {
    if (std::filesystem::exists(folder / name)) {
      return folder / name;
    }
  }
  throw Error(
      ErrorKind::io,
      "{}: the folder holds no GPT-2 tokenizer; wanted is merges.txt (vocab.json may lie beside it) or "
      "tokenizer.json",
      folder.string());
}

Files read_files(const std::filesystem::path& path, std::filesystem::path vocabulary) {
  Files files;
  const bool is_folder = std::filesystem::is_directory(path);
  const std::filesystem::path file = is_folder ? find_in_folder(path) : path;
  if (is_folder && vocabulary.empty() && file.filename() == "merges.txt" &&
      std::filesystem::exists(path / "vocab.json")) {
    vocabulary = path / "vocab.json";
  }
  files.merges_place = file.string();
  const std::string content = read_unpacked(file);
  const size_t first = content.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && content[first] == '{') {
    const nlohmann::json document = parse_vocabulary_json(content, files.merges_place);
    const nlohmann::json* model = byte_pair_model(document, files.merges_place);
    if (model == nullptr) {
      throw Error(ErrorKind::data,
                  "{}: this is neither merges.txt nor a tokenizer.json; a vocab.json alone does not say in "
                  "which order pairs are merged, so give merges.txt",
                  files.merges_place);
    }
    files.tokens = read_token_map((*model)["vocab"], files.merges_place);
    files.tokens_place = files.merges_place;
    files.merges = read_merge_array((*model)["merges"], files.merges_place);
  } else {
    if (first_ill_formed_utf8(content) != std::string_view::npos) {
      throw Error(ErrorKind::data, "{}: this is no merges.txt: it is not UTF-8 text", files.merges_place);
    }
    files.merges = read_merge_lines(content, files.merges_place);
  }
  if (!vocabulary.empty()) {
    files.tokens_place = vocabulary.string();
    files.tokens = read_token_map(parse_vocabulary_json(read_unpacked(vocabulary), files.tokens_place),
                                  files.tokens_place);
  }
  return files;
}

}  // namespace

struct Gpt2Tokenizer::Data {
  std::vector<std::string> tokens;       ///< by id, in the byte alphabet
  std::vector<std::string> token_bytes;  ///< by id
  BytePairMerges merges;
  std::string digest;
  PieceCache cache;

  /// Numbers bytes, merges and the marker (spec/04 section 8.1).
  explicit Data(const Files& files) {
    const ByteAlphabet& alphabet = ByteAlphabet::instance();
    std::unordered_map<std::string, int32_t> ids;
    const auto add = [&](const std::string& token) {
      const auto [place, added] = ids.emplace(token, static_cast<int32_t>(tokens.size()));
      if (added) {
        tokens.push_back(token);
      }
      return place->second;
    };
    for (const uint8_t byte : alphabet.order) {
      add(alphabet.symbol[byte]);
    }
    std::string pairs;
    for (const auto& [left, right] : files.merges) {
      std::array<int32_t, 2> parts{};
      for (size_t side = 0; side < 2; ++side) {
        const std::string& symbol = side == 0 ? left : right;
        const auto found = ids.find(symbol);
        if (found == ids.end()) {
          throw Error(ErrorKind::data,
                      "{}: the merge '{} {}' speaks of '{}', which is no byte and no merge before it; the "
                      "file is damaged",
                      files.merges_place, left, right, symbol);
        }
        parts[side] = found->second;
      }
      merges.add(parts[0], parts[1], add(left + right));
      pairs += left + ' ' + right + '\n';
    }
    if (ids.contains(std::string(kEndOfText))) {
      throw Error(ErrorKind::data, "{}: the marker {} is the result of a merge; the file is damaged",
                  files.merges_place, kEndOfText);
    }
    add(std::string(kEndOfText));
    check_against(files);

    std::string content;
    for (const std::string& token : tokens) {
      content += token + '\n';
      token_bytes.push_back(alphabet.to_bytes(token));
    }
    digest = sha256(content + pairs);
  }

  void append_piece(const std::string& piece, std::vector<int64_t>& ids) const {
    if (cache.append(piece, ids)) {
      return;
    }
    std::vector<int32_t> symbols;
    for (const char byte : piece) {
      symbols.push_back(ByteAlphabet::instance().position[static_cast<uint8_t>(byte)]);
    }
    merges.apply(symbols);
    ids.insert(ids.end(), symbols.begin(), symbols.end());
    cache.remember(piece, std::move(symbols));
  }

 private:
  void check_against(const Files& files) const {
    if (files.tokens.empty()) {
      return;
    }
    if (files.tokens.size() != tokens.size()) {
      throw Error(ErrorKind::data,
                  "{}: it has {} tokens, but from {} there follow {} (256 bytes, the merges, {}); the two "
                  "belong to different tokenizers",
                  files.tokens_place, files.tokens.size(), files.merges_place, tokens.size(), kEndOfText);
    }
    for (size_t id = 0; id < tokens.size(); ++id) {
      if (files.tokens[id] != tokens[id]) {
        throw Error(ErrorKind::data,
                    "{}: the id {} is '{}', but from {} there follows '{}'; the two belong to different "
                    "tokenizers",
                    files.tokens_place, id, files.tokens[id], files.merges_place, tokens[id]);
      }
    }
  }
};

std::vector<std::string> gpt2_pieces(std::string_view text) {
  std::vector<std::string> pieces;
  for_each_piece(text, [&](std::string piece) { pieces.push_back(std::move(piece)); });
  return pieces;
}

std::shared_ptr<const Gpt2Tokenizer> Gpt2Tokenizer::open(const std::filesystem::path& merges,
                                                         const std::filesystem::path& vocabulary) {
  return std::shared_ptr<const Gpt2Tokenizer>(
      new Gpt2Tokenizer(std::make_unique<Data>(read_files(merges, vocabulary))));
}

Gpt2Tokenizer::Gpt2Tokenizer(std::unique_ptr<Data> data) : data_(std::move(data)) {}

Gpt2Tokenizer::~Gpt2Tokenizer() = default;

int64_t Gpt2Tokenizer::size() const {
  return static_cast<int64_t>(data_->tokens.size());
}

const std::string& Gpt2Tokenizer::digest() const {
  return data_->digest;
}

std::vector<int64_t> Gpt2Tokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  while (true) {
    const size_t marker = text.find(kEndOfText);
    const std::string_view part = text.substr(0, marker);
    for_each_piece(part, [&](const std::string& piece) { data_->append_piece(piece, ids); });
    if (marker == std::string_view::npos) {
      return ids;
    }
    ids.push_back(end_id());
    text.remove_prefix(marker + kEndOfText.size());
  }
}

std::string Gpt2Tokenizer::decode(std::span<const int64_t> ids, const Gpt2Decoding& options) const {
  std::string text;
  std::string bytes;
  const auto flush = [&] {
    text += well_formed_utf8(bytes);
    bytes.clear();
  };
  for (const int64_t id : ids) {
    if (id < 0 || id >= size()) {
      throw Error(ErrorKind::data, "the id {} is no token; the vocabulary has the ids 0 to {}", id,
                  size() - 1);
    }
    if (id != end_id()) {
      bytes += data_->token_bytes[static_cast<size_t>(id)];
      continue;
    }
    flush();
    if (!options.skip_end_of_text) {
      text += kEndOfText;
    }
  }
  flush();
  if (options.clean_up_spaces) {
    clean_up_spaces(text);
  }
  return text;
}

}  // namespace patchioner
