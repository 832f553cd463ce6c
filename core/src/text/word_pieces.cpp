#include "text/word_pieces.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"
#include "text/unicode_categories.hpp"

namespace patchioner {
namespace {

constexpr size_t kLongestWord = 100;               // characters; the reference's limit
constexpr std::string_view kInsideOfAWord = "##";  // in front of pieces that begin no word

/// The blocks of Chinese characters that are set apart.
bool is_chinese(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b820 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

/// The text without controls and accents, in lower case, Chinese characters between spaces.
std::u32string normalise(std::string_view text) {
  std::u32string cleaned;
  for (const char32_t c : decode_utf8(text)) {
    if (c == 0 || c == kReplacementCharacter || is_bert_control(c)) {
      continue;
    }
    if (is_chinese(c)) {
      cleaned.append({U' ', c, U' '});
    } else {
      cleaned.push_back(is_white_space(c) ? U' ' : c);
    }
  }
  std::u32string result;
  for (const char32_t c : decompose_canonically(cleaned)) {
    if (!is_nonspacing_mark(c)) {
      result += lower_case(std::u32string_view(&c, 1));  // each for itself: no sigma is a final one
    }
  }
  return result;
}

std::filesystem::path find_file(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "vocab.txt" : path;
}

}  // namespace

std::shared_ptr<const WordPieceTokenizer> WordPieceTokenizer::open(const std::filesystem::path& vocabulary) {
  const std::filesystem::path file = find_file(vocabulary);
  const std::string place = file.string();
  const std::string content = read_file(file);
  if (const size_t byte = first_ill_formed_utf8(content); byte != std::string_view::npos) {
    throw Error(ErrorKind::data, "{}: this is no WordPiece vocabulary: it is not UTF-8 text (byte {})", place,
                byte);
  }
  std::shared_ptr<WordPieceTokenizer> tokenizer(new WordPieceTokenizer());
  std::string_view rest = content;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view token = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (token.ends_with('\r')) {
      token.remove_suffix(1);
    }
    const auto [known, added] = tokenizer->ids_.emplace(token, tokenizer->size_);
    if (!added) {
      throw Error(ErrorKind::data, "{}:{}: the token '{}' stands in line {} already; each may be there once",
                  place, tokenizer->size_ + 1, token, known->second + 1);
    }
    ++tokenizer->size_;
  }
  const auto id_of = [&](const char* token) {
    const auto found = tokenizer->ids_.find(token);
    if (found == tokenizer->ids_.end()) {
      throw Error(
          ErrorKind::data,
          "{}: the vocabulary of {} tokens has no {}; wanted is the vocab.txt of an uncased BERT model",
          place, tokenizer->size_, token);
    }
    return found->second;
  };
  tokenizer->start_id_ = id_of("[CLS]");
  tokenizer->end_id_ = id_of("[SEP]");
  tokenizer->unknown_id_ = id_of("[UNK]");
  tokenizer->digest_ = sha256(std::string_view(content));
  return tokenizer;
}

void WordPieceTokenizer::append_word(std::u32string_view word, std::vector<int64_t>& ids) const {
  if (word.size() > kLongestWord) {
    ids.push_back(unknown_id_);
    return;
  }
  const size_t before = ids.size();
  for (size_t begin = 0; begin < word.size();) {
    size_t end = word.size();
    for (; end > begin; --end) {
      std::string piece(begin > 0 ? kInsideOfAWord : std::string_view());
      piece += encode_utf8(word.substr(begin, end - begin));
      if (const auto found = ids_.find(piece); found != ids_.end()) {
        ids.push_back(found->second);
        break;
      }
    }
    if (end == begin) {
      ids.resize(before);
      ids.push_back(unknown_id_);
      return;
    }
    begin = end;
  }
}

std::vector<int64_t> WordPieceTokenizer::encode(std::string_view text, size_t most) const {
  const std::u32string normalised = normalise(text);
  const std::u32string_view characters = normalised;
  std::vector<int64_t> ids = {start_id_};
  size_t begin = 0;
  const auto finish_word = [&](size_t end) {
    if (end > begin) {
      append_word(characters.substr(begin, end - begin), ids);
    }
  };
  for (size_t at = 0; at < characters.size(); ++at) {
    const bool punctuation = is_bert_punctuation(characters[at]);
    if (!punctuation && !is_white_space(characters[at])) {
      continue;
    }
    finish_word(at);
    begin = at;
    if (punctuation) {
      finish_word(at + 1);
    }
    begin = at + 1;
  }
  finish_word(characters.size());
  ids.resize(std::min(ids.size(), std::max<size_t>(most, 2) - 1));
  ids.push_back(end_id_);
  return ids;
}

}  // namespace patchioner
