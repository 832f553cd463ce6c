#include "sentencepiece.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <patchioner/error.hpp>

namespace siglip {
namespace {

using patchioner::Error;
using patchioner::ErrorKind;

const std::string kSpace = "\xe2\x96\x81";  // U+2581, which stands for a space in pieces

/// The fields of a protobuf message, one after the other.
struct Fields {
  std::string_view rest;
  uint64_t number = 0;     ///< of the field
  uint64_t varint = 0;     ///< its value, of wire type 0
  std::string_view bytes;  ///< its value, of the others

  /// The next field; false at the end. Throws Error for bytes that are no message.
  bool next() {
    if (rest.empty()) {
      return false;
    }
    const uint64_t key = read_varint();
    number = key >> 3;
    switch (key & 7) {
      case 0:
        varint = read_varint();
        return true;
      case 1:
        bytes = take(8);
        return true;
      case 2:
        bytes = take(read_varint());
        return true;
      case 5:
        bytes = take(4);
        return true;
      default:
        throw Error(ErrorKind::checkpoint, "an unknown type of field");
    }
  }

 private:
  std::string_view take(uint64_t count) {
    if (count > rest.size()) {
      throw Error(ErrorKind::checkpoint, "it ends within a field");
    }
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
  uint64_t read_varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    throw Error(ErrorKind::checkpoint, "a number without end");
  }
};

/// The bytes of the UTF-8 character at `place`; a byte that begins none counts alone.
size_t character_length(const std::string& text, size_t place) {
  const auto first = static_cast<uint8_t>(text[place]);
  const size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (size_t i = 1; i < length; ++i) {
    if (place + i >= text.size() || (static_cast<uint8_t>(text[place + i]) & 0xc0) != 0x80) {
      return 1;
    }
  }
  return length;
}

/// The preprocessing of big_vision: letters small, punctuation out, one space between words.
std::string canonical(const std::string& text) {
  std::string result;
  bool space = true;  // before the first word
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      space = true;
    } else if (const bool ascii = static_cast<uint8_t>(c) < 0x80; !ascii || std::ispunct(c) == 0) {
      result += space ? kSpace : "";
      result += ascii ? static_cast<char>(std::tolower(c)) : c;
      space = false;
    }
  }
  return result;
}

}  // namespace

SentencePiece::SentencePiece(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorKind::io, "{}: the tokenizer's file cannot be opened", path);
  }
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  try {
    int64_t id = 0;
    for (Fields model{content}; model.next();) {
      if (model.number == 1) {  // ModelProto.pieces
        add(model.bytes, id++);
      }
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::checkpoint, "{}: no SentencePiece model: {}", path, error.what());
  }
  if (pieces_.empty()) {
    throw Error(ErrorKind::checkpoint, "{}: no SentencePiece model: it has no pieces", path);
  }
  float least = std::numeric_limits<float>::max();
  for (const auto& [text, piece] : pieces_) {
    least = std::min(least, piece.score);
    longest_ = std::max(longest_, text.size());
  }
  constexpr float kUnknownPenalty = 10;  // SentencePiece's unigram_model.cc
  unknown_score_ = least - kUnknownPenalty;
  digest_ = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : content) {
    digest_ = (digest_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
}

/// A message SentencePiece {piece = 1, score = 2, type = 3}.
void SentencePiece::add(std::string_view message, int64_t id) {
  constexpr uint64_t kNormal = 1;
  constexpr uint64_t kUnknown = 2;
  std::string text;
  float score = 0;
  uint64_t type = kNormal;
  for (Fields piece{message}; piece.next();) {
    if (piece.number == 1) {
      text = piece.bytes;
    } else if (piece.number == 2 && piece.bytes.size() == sizeof(score)) {
      std::memcpy(&score, piece.bytes.data(), sizeof(score));
    } else if (piece.number == 3) {
      type = piece.varint;
    }
  }
  if (type == kNormal && !text.empty()) {
    pieces_.emplace(text, Piece{id, score});
  } else if (type == kUnknown) {
    unknown_ = id;
  }
}

/// Viterbi: the pieces whose log-probabilities have the largest sum. Unknown characters in a row are one.
std::vector<int64_t> SentencePiece::most_likely(const std::string& text) const {
  struct Best {
    float score = -std::numeric_limits<float>::infinity();
    size_t begin = 0;  ///< of the last piece
    int64_t id = 0;
  };
  std::vector<Best> best(text.size() + 1);  // of the text up to there
  best[0].score = 0;
  for (size_t begin = 0; begin < text.size(); begin += character_length(text, begin)) {
    const auto offer = [&](size_t length, int64_t id, float score) {
      Best& there = best[begin + length];
      if (best[begin].score + score > there.score) {
        there = {best[begin].score + score, begin, id};
      }
    };
    const size_t character = character_length(text, begin);
    for (size_t length = 1; length <= std::min(longest_, text.size() - begin); ++length) {
      if (const auto piece = pieces_.find(text.substr(begin, length)); piece != pieces_.end()) {
        offer(length, piece->second.id, piece->second.score);
      }
    }
    if (!pieces_.contains(text.substr(begin, character))) {
      offer(character, unknown_, unknown_score_);
    }
  }
  std::vector<int64_t> ids;
  for (size_t end = text.size(); end > 0; end = best[end].begin) {
    if (ids.empty() || best[end].id != unknown_ || ids.back() != unknown_) {
      ids.push_back(best[end].id);
    }
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

std::vector<int64_t> SentencePiece::encode(const std::string& text, size_t length) const {
  std::vector<int64_t> ids = most_likely(canonical(text));
  ids.resize(std::min(ids.size(), length - 1));
  ids.resize(length, kEnd);
  return ids;
}

}  // namespace siglip
