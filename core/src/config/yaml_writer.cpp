// Values as YAML text that the strict reader reads back equal.
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/scalar.hpp"

namespace patchioner {
namespace {

constexpr size_t kWidestFlowList = 100;  // characters; longer lists take a line an entry

bool is_word_character(unsigned char c) {
  return std::isalnum(c) != 0 || c >= 0x80 || c == '_' || c == '.' || c == '/' || c == '-' || c == '+';
}

/// Whether the text means itself when it is written without quotes, in block and in flow style.
bool is_plain(const std::string& text) {
  if (text.empty() || text == "<<" || !is_plain_text(text)) {
    return false;
  }
  const auto first = static_cast<unsigned char>(text.front());
  if (std::isalnum(first) == 0 && first != '/' && first != '_' && first != '.') {
    return false;
  }
  if (text.starts_with("...")) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool inner = i + 1 < text.size();
    const bool space_between = c == ' ' && inner && text[i + 1] != ' ' && text[i + 1] != '#';
    const bool colon_inside = c == ':' && inner && is_word_character(static_cast<unsigned char>(text[i + 1]));
    if (c >= 0x80 || !(is_word_character(c) || space_between || colon_inside || c == '@' || c == '=')) {
      return false;  // characters beyond ASCII are quoted, since some of them are line ends to YAML
    }
  }
  return true;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::string_view rest = std::string_view(text).substr(i);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else if (rest.starts_with("\xC2") && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0) {
      out += fmt::format("\\x{:02x}",
                         static_cast<unsigned char>(rest[1]));  // U+0080 to U+009F, next line among them
      ++i;
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") ||
               rest.starts_with("\xEF\xBB\xBF")) {
      out += rest.starts_with("\xEF") ? "\\ufeff" : (rest[2] == '\xA8' ? "\\u2028" : "\\u2029");
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out + '"';
}

std::string text_out(const std::string& text) {
  return is_plain(text) ? text : quoted(text);
}

/// The value on one line.
std::string flow(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return value.as_boolean() ? "true" : "false";
    case Value::Type::integer:
      return fmt::format("{}", value.as_integer());
    case Value::Type::number:
      return format_number(value.as_number());
    case Value::Type::text:
      return text_out(value.as_text());
    case Value::Type::list: {
      std::string out = "[";
      for (const Value& entry : value.as_list()) {
        out += (out.size() > 1 ? ", " : "") + flow(entry);
      }
      return out + "]";
    }
    case Value::Type::map: {
      std::string out = "{";
      for (const auto& [key, entry] : value.as_map()) {
        out += (out.size() > 1 ? ", " : "") + text_out(key) + ": " + flow(entry);
      }
      return out + "}";
    }
  }
  return "null";
}

bool is_scalar(const Value& value) {
  return !value.is_map() && !value.is_list();
}

bool fits_one_line(const Value& value) {
  if (is_scalar(value)) {
    return true;
  }
  if (value.is_map()) {
    return value.as_map().empty();
  }
  const Value::List& list = value.as_list();
  return list.empty() ||
         (std::all_of(list.begin(), list.end(), is_scalar) && flow(value).size() <= kWidestFlowList);
}

class Writer {
 public:
  explicit Writer(bool origins) : origins_(origins) {}

  std::string take(const Value& value) {
    if (fits_one_line(value)) {
      line(flow(value), value);
    } else {
      block(value, 0);
    }
    return std::move(out_);
  }

 private:
  void line(const std::string& content, const Value& value) {
    out_ += content;
    if (origins_) {
      const size_t begin = out_.find_last_of('\n') == std::string::npos ? 0 : out_.find_last_of('\n') + 1;
      const size_t width = out_.size() - begin;
      out_.append(width < kOriginColumn ? kOriginColumn - width : 1, ' ');
      out_ += "# " + origin_text(value.origin());
    }
    out_ += '\n';
  }

  /// "file:line"; the column says nothing more here.
  static std::string origin_text(const Origin& origin) {
    return origin.line == 0 ? origin.to_string() : fmt::format("{}:{}", origin.file, origin.line);
  }

  void block(const Value& value, size_t indent) {
    const std::string margin(indent, ' ');
    if (value.is_map()) {
      for (const auto& [key, entry] : value.as_map()) {
        out_ += margin + text_out(key) + ":";
        nested(entry, indent + 2);
      }
      return;
    }
    for (const Value& entry : value.as_list()) {
      out_ += margin + "-";
      if (entry.is_map() && !entry.as_map().empty()) {
        out_ += ' ';
        const size_t begin = out_.size();
        block(entry, indent + 2);
        out_.erase(begin, indent + 2);  // the first key stands behind the dash
      } else {
        nested(entry, indent + 2);
      }
    }
  }

  void nested(const Value& entry, size_t indent) {
    if (fits_one_line(entry)) {
      line(" " + flow(entry), entry);
    } else {
      out_ += '\n';
      block(entry, indent);
    }
  }

  static constexpr size_t kOriginColumn = 48;
  bool origins_;
  std::string out_;
};

}  // namespace

std::string write_yaml(const Value& value, bool origins) {
  return Writer(origins).take(value);
}

}  // namespace patchioner
