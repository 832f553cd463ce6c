#include "text/clip_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>

#include "support/utf8.hpp"
#include "text/character_class.hpp"
#include "text/clip_vocabulary.hpp"
#include "text/piece_cache.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

CharacterClass class_of(char32_t c) {
  if (c < kAsciiEnd) {
    return class_of_ascii(c);
  }
  // The combining iota U+0345 falls out of the reference's pattern: with case ignored it is no "other"
  // character, since iota is a letter, and no letter itself.
  return is_white_space(c) || c == 0x345 ? CharacterClass::space
         : is_letter(c)                  ? CharacterClass::letter
         : is_number(c)                  ? CharacterClass::number
                                         : CharacterClass::other;
}

/// Whether the lower-cased text begins with `literal`. Case is ignored, which concerns one character: U+017F
/// is an s.
template <class Character>
bool begins_with(std::basic_string_view<Character> text, std::string_view literal) {
  if (text.size() < literal.size()) {
    return false;
  }
  for (size_t index = 0; index < literal.size(); ++index) {
    const auto c = static_cast<char32_t>(text[index]);
    const auto wanted = static_cast<char32_t>(literal[index]);
    if (c != wanted && !(c == 0x17f && wanted == U's')) {
      return false;
    }
  }
  return true;
}

/// Length of the piece at the start of `text`, which is not empty; 0 for white space, which is passed over
/// (spec/02 section 10.2, step 4).
template <class Character>
size_t piece_length(std::basic_string_view<Character> text) {
  static constexpr std::array<std::string_view, 9> kLiterals = {kStartOfText, kEndOfText, "'s",  "'t", "'re",
                                                                "'ve",        "'m",       "'ll", "'d"};
  if (text.front() == '<' || text.front() == '\'') {
    for (const std::string_view literal : kLiterals) {
      if (begins_with(text, literal)) {
        return literal.size();
      }
    }
  }
  const CharacterClass first = class_of(static_cast<char32_t>(text.front()));
  if (first == CharacterClass::space) {
    return 0;
  }
  if (first == CharacterClass::number) {
    return 1;
  }
  size_t length = 1;
  while (length < text.size() && class_of(static_cast<char32_t>(text[length])) == first) {
    ++length;
  }
  return length;
}

std::string as_utf8(std::string_view piece) {
  return std::string(piece);
}
std::string as_utf8(std::u32string_view piece) {
  return encode_utf8(piece);
}

/// Plain text in lower case; the splitting passes over white space, so that it need not be collapsed.
std::string lower_case_plain(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return result;
}

}  // namespace

struct ClipTokenizer::Data {
  ClipVocabulary vocabulary;
  TextClean clean = TextClean::full;
  std::vector<std::string> token_bytes;  ///< by id

  /// Appends the ids of one piece.
  void append_piece(const std::string& piece, std::vector<int64_t>& ids) const {
    if (cache_.append(piece, ids)) {
      return;
    }
    std::vector<int32_t> symbols;
    if (piece == kStartOfText || piece == kEndOfText) {
      symbols.push_back(piece == kStartOfText ? vocabulary.start_id : vocabulary.end_id);
    } else {
      for (const char byte : piece) {
        symbols.push_back(vocabulary.byte_id[static_cast<uint8_t>(byte)]);
      }
      symbols.back() = vocabulary.last_byte_id[static_cast<uint8_t>(piece.back())];
      vocabulary.merges.apply(symbols);
    }
    ids.insert(ids.end(), symbols.begin(), symbols.end());
    cache_.remember(piece, std::move(symbols));
  }

  template <class Character>
  void append_pieces(std::basic_string_view<Character> text, std::vector<int64_t>& ids) const {
    while (!text.empty()) {
      const size_t length = piece_length(text);
      if (length != 0) {
        append_piece(as_utf8(text.substr(0, length)), ids);
      }
      text.remove_prefix(std::max<size_t>(length, 1));
    }
  }

 private:
  PieceCache cache_;
};

std::shared_ptr<const ClipTokenizer> ClipTokenizer::open(const std::filesystem::path& vocabulary,
                                                         TextClean clean) {
  auto data = std::make_unique<Data>();
  data->vocabulary = read_clip_vocabulary(vocabulary);
  data->clean = clean;
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  for (const std::string& token : data->vocabulary.tokens) {
    data->token_bytes.push_back(alphabet.to_bytes(token));
  }
  return std::shared_ptr<const ClipTokenizer>(new ClipTokenizer(std::move(data)));
}

ClipTokenizer::ClipTokenizer(std::unique_ptr<Data> data) : data_(std::move(data)) {}

ClipTokenizer::~ClipTokenizer() = default;

int64_t ClipTokenizer::start_id() const {
  return data_->vocabulary.start_id;
}

int64_t ClipTokenizer::end_id() const {
  return data_->vocabulary.end_id;
}

int64_t ClipTokenizer::size() const {
  return static_cast<int64_t>(data_->vocabulary.tokens.size());
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  if (is_plain(text)) {
    data_->append_pieces(std::string_view(lower_case_plain(text)), ids);
  } else {
    data_->append_pieces(std::u32string_view(clean_code_points(text, data_->clean)), ids);
  }
  return ids;
}

at::Tensor ClipTokenizer::tokenize(std::span<const std::string> texts, int64_t context, bool truncate) const {
  TORCH_CHECK(context >= 2, "a context has room for the two markers");
  at::Tensor rows = at::zeros({static_cast<int64_t>(texts.size()), context}, at::kLong);  // [N,context]
  int64_t* row = rows.data_ptr<int64_t>();
  for (const std::string& text : texts) {
    std::vector<int64_t> ids = encode(text);
    const auto length = static_cast<int64_t>(ids.size()) + 2;
    if (length > context && !truncate) {
      constexpr size_t kShown = 200;
      throw Error(ErrorKind::data,
                  "the text \"{}{}\" has {} tokens with its two markers, but the model reads {}; shorten it, "
                  "or have it cut (truncate: true in the section backbone, --truncate of memory build)",
                  encode_utf8(decode_utf8(text).substr(0, kShown)), text.size() > kShown ? "..." : "", length,
                  context);
    }
    ids.resize(static_cast<size_t>(std::min(length, context) - 2));
    row[0] = start_id();
    std::copy(ids.begin(), ids.end(), row + 1);
    row[ids.size() + 1] = end_id();
    row += context;
  }
  return rows;
}

std::string ClipTokenizer::decode(std::span<const int64_t> ids) const {
  std::string bytes;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size()) {
      throw Error(ErrorKind::data, "the id {} is no token; the vocabulary has the ids 0 to {}", id,
                  size() - 1);
    }
    bytes += data_->token_bytes[static_cast<size_t>(id)];
  }
  std::string text = well_formed_utf8(bytes);
  const std::string_view ending = kEndOfWord;
  for (size_t at = text.find(ending); at != std::string::npos; at = text.find(ending, at + 1)) {
    text.replace(at, ending.size(), " ");
  }
  return text;
}

std::string ClipTokenizer::token_text(int64_t id) const {
  return decode(std::span(&id, 1));
}

const std::string& ClipTokenizer::digest() const {
  return data_->vocabulary.digest;
}

}  // namespace patchioner
