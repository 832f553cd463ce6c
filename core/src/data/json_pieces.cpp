#include "data/json_pieces.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr size_t kDeepest = 64;

/// Walks through the text of a piece. Positions are within the text.
class Scanner {
 public:
  Scanner(const JsonPiece& piece, const std::string& file) : piece_(piece), file_(file) {}

  void skip_space() {
    while (at_ < text().size() && kWhiteSpace.find(text()[at_]) != std::string_view::npos) {
      ++at_;
    }
  }

  /// The next character that is no white space; it is not passed.
  char look() {
    skip_space();
    if (at_ == text().size()) {
      refuse_cut();
    }
    return text()[at_];
  }

  /// Passes the next character if it is this one.
  bool take(char wanted) {
    if (look() != wanted) {
      return false;
    }
    ++at_;
    return true;
  }

  void need(char wanted) {
    if (!take(wanted)) {
      refuse(fmt::format("'{}' was expected", wanted));
    }
  }

  bool at_end() {
    skip_space();
    return at_ == text().size();
  }

  /// Passes a text and gives it with its quotation marks.
  std::string_view take_text() {
    const size_t begin = at_;
    ++at_;
    for (;;) {
      at_ = text().find_first_of("\"\\", at_);
      if (at_ == std::string_view::npos) {
        at_ = text().size();
        refuse_cut();
      }
      if (text()[at_] == '"') {
        ++at_;
        return text().substr(begin, at_ - begin);
      }
      at_ += 2;
      if (at_ > text().size()) {
        at_ = text().size();
        refuse_cut();
      }
    }
  }

  /// Passes a value of any kind and gives it.
  std::string_view take_value() {
    const char first = look();
    const size_t begin = at_;
    if (first == '"') {
      return take_text();
    }
    if (first == '{' || first == '[') {
      pass_container();
    } else {
      at_ = std::min(text().find_first_of(" \t\r\n,]}", at_), text().size());
      if (at_ == begin) {
        refuse(fmt::format("a value was expected"));
      }
    }
    return text().substr(begin, at_ - begin);
  }

  uint64_t byte_of(std::string_view part) const {
    return piece_.begin + static_cast<uint64_t>(part.data() - text().data());
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::data, "{}: is no valid JSON at byte {}: {}; the file is damaged", file_,
                piece_.begin + at_, what);
  }

 private:
  std::string_view text() const { return piece_.text; }

  void pass_container() {
    std::array<char, kDeepest> open{};
    size_t depth = 0;
    do {
      at_ = text().find_first_of("\"{}[]", at_);
      if (at_ == std::string_view::npos) {
        at_ = text().size();
        refuse_cut();
      }
      const char found = text()[at_];
      if (found == '"') {
        take_text();
        continue;
      }
      if (found == '{' || found == '[') {
        if (depth == kDeepest) {
          refuse(fmt::format("it is nested more than {} deep, which no annotation file is", kDeepest));
        }
        open[depth++] = found;
      } else if (open[--depth] != (found == '}' ? '{' : '[')) {
        refuse(fmt::format("'{}' closes what was opened by '{}'", found, open[depth]));
      }
      ++at_;
    } while (depth > 0);
  }

  [[noreturn]] void refuse_cut() const {
    throw Error(ErrorKind::data,
                "{}: is no valid JSON: it ends at byte {}, in the middle of what begins at byte {}; the file "
                "is cut",
                file_, piece_.begin + at_, piece_.begin);
  }

  const JsonPiece& piece_;
  const std::string& file_;
  size_t at_ = 0;
};

}  // namespace

JsonPiece whole_document(std::string_view content, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const size_t mark = content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const size_t begin = content.find_first_not_of(kWhiteSpace, mark);
  if (begin == std::string_view::npos) {
    throw Error(ErrorKind::data, "{}: the file is empty", file);
  }
  const size_t last = content.find_last_not_of(kWhiteSpace);
  return {{}, 0, content.substr(begin, last + 1 - begin), begin};
}

void visit_members(const JsonPiece& piece, const std::string& file,
                   const std::function<bool(const JsonPiece& member)>& visit) {
  Scanner scanner(piece, file);
  const bool object = scanner.take('{');
  if (!object && !scanner.take('[')) {
    scanner.refuse("an object or a list was expected");
  }
  const char closing = object ? '}' : ']';
  bool closed = scanner.take(closing);
  for (size_t number = 0; !closed; ++number) {
    JsonPiece member;
    member.number = number;
    if (object) {
      if (scanner.look() != '"') {
        scanner.refuse("a key in quotation marks was expected");
      }
      const std::string_view key = scanner.take_text();
      member.key = parse_piece({{}, 0, key, scanner.byte_of(key)}, file).get<std::string>();
      scanner.need(':');
    }
    member.text = scanner.take_value();
    member.begin = scanner.byte_of(member.text);
    if (!visit(member)) {
      return;
    }
    closed = scanner.take(closing);
    if (!closed && !scanner.take(',')) {
      scanner.refuse(fmt::format("',' or '{}' was expected", closing));
    }
  }
  if (!scanner.at_end()) {
    scanner.refuse("something follows the end of the document");
  }
}

nlohmann::ordered_json parse_piece(const JsonPiece& piece, const std::string& file) {
  try {
    return nlohmann::ordered_json::parse(piece.text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::string text = error.what();
    const size_t reason = text.find("syntax error");
    throw Error(ErrorKind::data, "{}: is no valid JSON at byte {}: {}; the file is damaged", file,
                piece.begin + (error.byte == 0 ? 0 : error.byte - 1),
                reason == std::string::npos ? text : text.substr(reason));
  } catch (const nlohmann::json::exception& error) {  // a number too large for any type
    throw Error(ErrorKind::data, "{}: what begins at byte {} cannot be read: {}", file, piece.begin,
                error.what());
  }
}

}  // namespace patchioner
