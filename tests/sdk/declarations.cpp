#include "declarations.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "header_tokens.hpp"

namespace sdk {
namespace {

using patchioner::Error;
using patchioner::ErrorKind;
using Tokens = std::vector<std::string>;

bool has(const Tokens& tokens, const std::string& token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

int depth_change(const std::string& token) {
  return token == "(" || token == "{" || token == "[" || token == "<"   ? 1
         : token == ")" || token == "}" || token == "]" || token == ">" ? -1
                                                                        : 0;
}

/// The place of a token outside of all brackets, or the count of tokens.
size_t find_outside(const Tokens& tokens, const std::string& wanted, size_t begin = 0) {
  int depth = 0;
  for (size_t i = begin; i < tokens.size(); ++i) {
    if (depth == 0 && tokens[i] == wanted) {
      return i;
    }
    depth += depth_change(tokens[i]);
  }
  return tokens.size();
}

/// The place behind the bracket that closes the one at `begin`. Only brackets of its kind count: the others
/// may be comparisons.
size_t behind_bracket(const Tokens& tokens, size_t begin) {
  const std::string& open = tokens[begin];
  const std::string close = open == "(" ? ")" : open == "{" ? "}" : ">";
  int depth = 0;
  for (size_t i = begin; i < tokens.size(); ++i) {
    depth += tokens[i] == open ? 1 : tokens[i] == close ? -1 : 0;
    if (depth == 0) {
      return i + 1;
    }
  }
  throw Error(ErrorKind::data, "the '{}' behind '{}' does not close", open,
              begin > 0 ? tokens[begin - 1] : "");
}

/// One argument of a function without its name: a caller does not notice what it is called.
Tokens without_name(Tokens argument) {
  const size_t end = find_outside(argument, "=");
  if (end >= 2 && is_word(argument[end - 1])) {
    const std::string& before = argument[end - 2];
    const bool is_name = before == ">" || before == "&" || before == "*" || before == "&&" ||
                         before == "..." ||
                         (is_word(before) && before != "const" && before != "unsigned" && before != "long");
    if (is_name) {
      argument.erase(argument.begin() + static_cast<std::ptrdiff_t>(end - 1));
    }
  }
  return argument;
}

/// The head of a function, its arguments without their names.
Tokens without_argument_names(const Tokens& head) {
  const size_t open = find_outside(head, "(");
  const size_t close = behind_bracket(head, open) - 1;
  Tokens result(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(open + 1));
  Tokens arguments(head.begin() + static_cast<std::ptrdiff_t>(open + 1),
                   head.begin() + static_cast<std::ptrdiff_t>(close));
  while (!arguments.empty()) {
    const auto comma = arguments.begin() + static_cast<std::ptrdiff_t>(find_outside(arguments, ","));
    const Tokens argument = without_name(Tokens(arguments.begin(), comma));
    result.insert(result.end(), argument.begin(), argument.end());
    if (comma == arguments.end()) {
      break;
    }
    result.emplace_back(",");
    arguments.erase(arguments.begin(), comma + 1);
  }
  result.insert(result.end(), head.begin() + static_cast<std::ptrdiff_t>(close), head.end());
  return result;
}

/// Reads the declarations of one header.
class Reader {
 public:
  Reader(Tokens tokens, Declarations& declarations)
      : tokens_(std::move(tokens)), declarations_(declarations) {}

  void read() {
    while (next_ < tokens_.size()) {
      read_one("", nullptr);
    }
  }

 private:
  /// Reads what comes next in `scope`; members go to `owner`, where there is one.
  void read_one(const std::string& scope, Declaration* owner) {
    const std::string& token = tokens_[next_];
    if (token == ";") {
      ++next_;
    } else if (token == "public" || token == "private" || token == "protected") {
      next_ += 2;
    } else if (token == "namespace") {
      std::string inner = scope;
      for (++next_; tokens_[next_] != "{"; ++next_) {
        inner += inner.empty() || tokens_[next_] == "::" || inner.ends_with("::") ? tokens_[next_]
                                                                                  : "::" + tokens_[next_];
      }
      read_block(inner, owner);
    } else if (token == "extern" && next_ + 2 < tokens_.size() && tokens_[next_ + 2] == "{") {
      next_ += 2;
      read_block(scope, owner);
    } else {
      read_declaration(scope, owner);
    }
  }

  void read_block(const std::string& scope, Declaration* owner) {
    const size_t end = behind_bracket(tokens_, next_);
    for (++next_; next_ < end - 1;) {
      read_one(scope, owner);
    }
    next_ = end;
  }

  void read_declaration(const std::string& scope, Declaration* owner) {
    Tokens head = take_head();
    const Tokens kind = without_template(head);
    const bool defines_type =
        next_ < tokens_.size() && tokens_[next_] == "{" &&
        (kind[0] == "class" || kind[0] == "struct" || kind[0] == "enum" || kind[0] == "union");
    if (defines_type) {
      read_type(scope, head, kind);
      return;
    }
    const size_t open = find_outside(head, "(");
    const bool pointer = open + 1 < head.size() && head[open + 1] == "*";
    const bool function = (open < find_outside(head, "=") && !pointer) || has(head, "operator");
    bool has_body = false;
    if (function) {
      has_body = skip_body();
      head = without_argument_names(head);
      if (!has_body) {
        note_compiled(scope, head, kind);
      }
    } else {
      while (next_ < tokens_.size() && tokens_[next_] != ";") {  // an initialiser in braces
        head.push_back(tokens_[next_++]);
      }
    }
    const std::string text = join_tokens(head);
    if (owner == nullptr) {
      declarations_.all.push_back({in(scope) + text, {}, {}});
    } else {
      const bool placed = function ? has(head, "virtual") || has(head, "override")
                                   : kind[0] != "static" && kind[0] != "using" && kind[0] != "friend";
      (placed ? owner->places : owner->members).push_back(text);
    }
  }

  static std::string in(const std::string& scope) { return scope.empty() ? "" : "in " + scope + ": "; }

  /// All up to the body, the member initialisers, the initialiser in braces, or the semicolon.
  Tokens take_head() {
    Tokens head;
    int depth = 0;
    for (; next_ < tokens_.size(); ++next_) {
      const std::string& token = tokens_[next_];
      const bool ends = token == "{" || token == ";" || (token == ":" && !head.empty() && has(head, "("));
      if (depth == 0 && ends) {
        return head;
      }
      depth += depth_change(token);
      head.push_back(token);
    }
    throw Error(ErrorKind::data, "the declaration '{}' does not end", join_tokens(head));
  }

  static Tokens without_template(const Tokens& head) {
    if (head.empty() || head[0] != "template") {
      return head;
    }
    return Tokens(head.begin() + static_cast<std::ptrdiff_t>(behind_bracket(head, 1)), head.end());
  }

  /// Skips member initialisers and the body of a function; whether there was one.
  bool skip_body() {
    if (tokens_[next_] == ":") {
      do {
        while (tokens_[next_] != "(" && tokens_[next_] != "{") {
          ++next_;
        }
        next_ = behind_bracket(tokens_, next_);
      } while (tokens_[next_] == ",");
    }
    if (tokens_[next_] != "{") {
      return false;
    }
    next_ = behind_bracket(tokens_, next_);
    return true;
  }

  void note_compiled(const std::string& scope, const Tokens& head, const Tokens& kind) {
    const bool elsewhere = head[0] == "template" || kind[0] == "friend" || has(kind, "default") ||
                           has(kind, "delete") ||
                           (kind.size() > 2 && kind[kind.size() - 2] == "=" && kind.back() == "0");
    if (elsewhere || scope.empty()) {
      return;  // a template, made by the compiler, pure, or a plugin's C function
    }
    const size_t open = find_outside(kind, "(");
    const bool operates = open >= 2 && kind[open - 2] == "operator";
    ++declarations_.compiled[scope + "::" + (operates ? "operator" : "") + kind[open - 1]];
    if (has(kind, "virtual")) {
      for (const char* part : {"vtable for ", "typeinfo for ", "typeinfo name for "}) {
        declarations_.compiled[part + scope] = 1;
      }
    }
  }

  void read_type(const std::string& scope, const Tokens& head, const Tokens& kind) {
    const size_t name_end = std::min(find_outside(kind, ":"), find_outside(kind, "final"));
    const std::string full_name = scope.empty() ? kind[name_end - 1] : scope + "::" + kind[name_end - 1];
    declarations_.types.insert(full_name);
    Declaration type{in(scope) + join_tokens(head), {}, {}};
    if (kind[0] == "enum") {
      const size_t end = behind_bracket(tokens_, next_);
      Tokens body(tokens_.begin() + static_cast<std::ptrdiff_t>(next_ + 1),
                  tokens_.begin() + static_cast<std::ptrdiff_t>(end - 1));
      next_ = end;
      while (!body.empty()) {
        const size_t comma = find_outside(body, ",");
        type.places.push_back(
            join_tokens(Tokens(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(comma))));
        body.erase(body.begin(),
                   body.begin() + static_cast<std::ptrdiff_t>(std::min(comma + 1, body.size())));
      }
      declarations_.all.push_back(std::move(type));
      return;
    }
    read_block(full_name, &type);
    declarations_.all.push_back(std::move(type));
  }

  Tokens tokens_;
  size_t next_ = 0;
  Declarations& declarations_;
};

}  // namespace

void add_declarations(std::string_view header, Declarations& declarations) {
  HeaderTokens read = read_tokens(header);
  for (std::string& macro : read.macros) {
    declarations.all.push_back({std::move(macro), {}, {}});
  }
  Reader(std::move(read.tokens), declarations).read();
}

}  // namespace sdk
