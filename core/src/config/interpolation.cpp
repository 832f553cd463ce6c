#include "config/interpolation.hpp"

#include <cstdlib>
#include <patchioner/error.hpp>

#include "config/scalar.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr size_t kMostValues = 100'000;
constexpr size_t kLongestText = 1 << 20;
constexpr size_t kLongestChain = 200;
constexpr size_t kDeepestNesting = 1000;  // of calls: each step of a chain takes a few

void collect_paths(const Value& value, const std::string& path, std::vector<std::string>& paths) {
  constexpr size_t kEnough = 2000;  // for a suggestion
  if (paths.size() >= kEnough) {
    return;
  }
  if (!path.empty()) {
    paths.push_back(path);
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  if (value.is_map()) {
    for (const auto& [key, entry] : value.as_map()) {
      collect_paths(entry, prefix + key, paths);
    }
  } else if (value.is_list()) {
    for (size_t i = 0; i < value.as_list().size(); ++i) {
      collect_paths(value.as_list()[i], prefix + std::to_string(i), paths);
    }
  }
}

size_t values_in(const Value& value) {
  size_t values = 1;
  if (value.is_map()) {
    for (const auto& [key, entry] : value.as_map()) {
      values += values_in(entry);
    }
  } else if (value.is_list()) {
    for (const Value& entry : value.as_list()) {
      values += values_in(entry);
    }
  }
  return values;
}

/// Whether a value was said outside of all files: on the command line or by an environment variable.
bool from_outside(const Value& value) {
  return value.origin().line == 0 && !value.origin().file.empty();
}

/// Whether the text has a "${" at all, escaped or not; most have none.
bool has_reference(const std::string& text) {
  return text.find("${") != std::string::npos;
}

class Resolver {
 public:
  explicit Resolver(const Value& document) : document_(document) {}

  Value resolve(const Value& value, const std::string& path) {
    count(1, value.origin());
    const std::string prefix = path.empty() ? "" : path + ".";
    if (value.is_map()) {
      Value::Map map;
      for (const auto& [key, entry] : value.as_map()) {
        map.emplace_back(key, resolve(entry, prefix + key));
      }
      return Value(std::move(map)).set_origin(value.origin());
    }
    if (value.is_list()) {
      Value::List list;
      for (const Value& entry : value.as_list()) {
        list.push_back(resolve(entry, prefix + std::to_string(list.size())));
      }
      return Value(std::move(list)).set_origin(value.origin());
    }
    if (!value.is_text() || !has_reference(value.as_text())) {
      return value;
    }
    return resolve_text_at(value, path);
  }

 private:
  /// Where a reference stands: it is the whole scalar, or part of a longer one.
  enum class Place { alone, inside_text };

  void count(size_t values, const Origin& origin) {
    values_ += values;
    if (values_ > kMostValues) {
      throw Error(ErrorKind::config, "{}: references make the document larger than {} values",
                  origin.to_string(), kMostValues);
    }
  }

  /// A text with references; its path is remembered, since meeting it again on the way is a circle.
  Value resolve_text_at(const Value& value, const std::string& path) {
    if (const auto known = resolved_.find(path); known != resolved_.end()) {
      count(known->second.values, value.origin());
      return known->second.value;
    }
    refuse_circle(path, value.origin());
    active_.push_back(path);
    Value result = expand(value);
    active_.pop_back();
    resolved_.emplace(path, Resolved{result, values_in(result)});
    return result;
  }

  void refuse_circle(const std::string& path, const Origin& origin) const {
    const auto closes = [&](const std::string& open) {
      return open == path || open.starts_with(path + ".") || path.empty();
    };
    const auto start = std::find_if(active_.begin(), active_.end(), closes);
    if (start == active_.end() && active_.size() < kLongestChain) {
      return;
    }
    if (start == active_.end()) {
      throw Error(ErrorKind::config, "{}: references lead through more than {} others", origin.to_string(),
                  kLongestChain);
    }
    std::string chain;
    for (auto entry = start; entry != active_.end(); ++entry) {
      chain += *entry + " -> ";
    }
    throw Error(ErrorKind::config, "{}: references go in a circle: {}{}", origin.to_string(), chain, path);
  }

  Value expand(const Value& value) {
    const std::string& text = value.as_text();
    if (text.starts_with("${") && closing(text, 2, value.origin()) == text.size() - 1) {
      return reference(text.substr(2, text.size() - 3), value, Place::alone);
    }
    return expand_text(text, value);
  }

  /// The text with its references replaced by their own text. One that begins with what was said outside of
  /// all files comes from there, so that a relative path in it starts at the current folder.
  Value expand_text(const std::string& text, const Value& value) {
    std::string out;
    Origin origin = value.origin();
    for (size_t at = 0; at < text.size();) {
      const size_t begin = text.find("${", at);
      if (begin == std::string::npos) {
        out += text.substr(at);
        break;
      }
      size_t backslashes = 0;
      while (begin - backslashes > at && text[begin - backslashes - 1] == '\\') {
        ++backslashes;
      }
      out += text.substr(at, begin - at - backslashes) + std::string(backslashes / 2, '\\');
      if (backslashes % 2 == 1) {
        out += "${";
        at = begin + 2;
        continue;
      }
      const size_t end = closing(text, begin + 2, value.origin());
      const Value part = reference(text.substr(begin + 2, end - begin - 2), value, Place::inside_text);
      if (begin == 0 && from_outside(part)) {
        origin = part.origin();
      }
      out += scalar_text(part, text, value.origin());
      at = end + 1;
      if (out.size() > kLongestText) {
        throw Error(ErrorKind::config, "{}: references make a text longer than {} bytes",
                    value.origin().to_string(), kLongestText);
      }
    }
    return Value(std::move(out)).set_origin(origin);
  }

  /// The position of the brace that closes the reference whose content begins at `from`.
  static size_t closing(const std::string& text, size_t from, const Origin& origin) {
    size_t open = 1;
    for (size_t at = from; at < text.size(); ++at) {
      if (text.compare(at, 2, "${") == 0) {
        ++open;
        ++at;
      } else if (text[at] == '}' && --open == 0) {
        return at;
      }
    }
    throw Error(ErrorKind::config,
                "{}: a reference is not closed in '{}'; write ${{path.to.key}}, or \\${{ for the characters "
                "themselves",
                origin.to_string(), text);
  }

  Value reference(const std::string& raw, const Value& value, Place place) {
    if (++nested_ > kDeepestNesting) {
      throw Error(ErrorKind::config, "{}: references stand inside one another deeper than {} levels",
                  value.origin().to_string(), kDeepestNesting);
    }
    Value result = reference_inside(raw, value, place);
    --nested_;
    return result;
  }

  Value reference_inside(const std::string& raw, const Value& value, Place place) {
    constexpr std::string_view kEnvironment = "env:";
    if (raw.starts_with(kEnvironment)) {
      return environment(raw.substr(kEnvironment.size()), value, place);
    }
    const std::string path = has_reference(raw) ? expand_text(raw, value).as_text() : raw;
    if (path.empty() || path.find_first_of(" :,") != std::string::npos) {
      throw Error(ErrorKind::config,
                  "{}: '${{{}}}' is no reference; there are ${{path.to.key}} and ${{env:NAME,default}}",
                  value.origin().to_string(), raw);
    }
    return at_path(path, value.origin());
  }

  Value environment(const std::string& raw, const Value& value, Place place) {
    // Inside a text, 2024.10 is no number.
    const auto read = [place](const std::string& content, const Origin& origin) {
      return place == Place::alone ? parse_plain_scalar(content, origin) : Value(content).set_origin(origin);
    };
    const size_t comma = raw.find(',');
    const std::string name = raw.substr(0, comma);
    if (name.empty() || name.find_first_of(" ${}") != std::string::npos) {
      throw Error(ErrorKind::config, "{}: '${{env:{}}}' names no environment variable",
                  value.origin().to_string(), raw);
    }
    if (const char* content = std::getenv(name.c_str())) {
      return read(content, {"environment variable " + name, 0, 0});
    }
    if (comma == std::string::npos) {
      throw Error(
          ErrorKind::config,
          "{}: the environment variable {} is not set; set it, or give a default: ${{env:{},DEFAULT}}",
          value.origin().to_string(), name, name);
    }
    const std::string fallback = raw.substr(comma + 1);
    if (has_reference(fallback)) {
      return place == Place::alone ? expand(Value(fallback).set_origin(value.origin()))
                                   : expand_text(fallback, value);
    }
    return read(fallback, value.origin());
  }

  /// What stands at a path. A step that is itself a reference is followed first.
  Value at_path(const std::string& path, const Origin& origin) {
    Value replaced;
    const Value* value = &document_;
    std::string walked;
    std::string rest = path;
    while (!rest.empty()) {
      const size_t dot = rest.find('.');
      const std::string step = rest.substr(0, dot);
      rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
      const Value* next = value->find_path(step);
      if (next == nullptr) {
        std::vector<std::string> paths;
        collect_paths(document_, "", paths);
        throw Error(ErrorKind::config, "{}: ${{{}}} names nothing{}", origin.to_string(), path,
                    suggestion(path, paths));
      }
      walked += (walked.empty() ? "" : ".") + step;
      value = next;
      if (!rest.empty() && value->is_text() && has_reference(value->as_text())) {
        replaced = resolve_text_at(Value(*value), walked);
        value = &replaced;
      }
    }
    refuse_circle(path, origin);
    const Value target = *value;
    return resolve(target, path);
  }

  static std::string scalar_text(const Value& value, const std::string& text, const Origin& origin) {
    switch (value.type()) {
      case Value::Type::text:
        return value.as_text();
      case Value::Type::boolean:
        return value.as_boolean() ? "true" : "false";
      case Value::Type::integer:
        return fmt::format("{}", value.as_integer());
      case Value::Type::number:
        return format_number(value.as_number());
      default:
        throw Error(ErrorKind::config, "{}: a reference in '{}' names a {}, which cannot stand inside a text",
                    origin.to_string(), text, to_string(value.type()));
    }
  }

  const Value& document_;
  struct Resolved {
    Value value;
    size_t values = 0;
  };
  std::map<std::string, Resolved> resolved_;
  std::vector<std::string> active_;
  size_t values_ = 0;
  size_t nested_ = 0;
};

}  // namespace

Value interpolate(const Value& document) {
  return Resolver(document).resolve(document, "");
}

Value escape_interpolation(Value value) {
  const Origin origin = value.origin();
  if (value.is_map()) {
    for (auto& [key, entry] : value.as_map()) {
      entry = escape_interpolation(std::move(entry));
    }
  } else if (value.is_list()) {
    for (Value& entry : value.as_list()) {
      entry = escape_interpolation(std::move(entry));
    }
  } else if (value.is_text() && has_reference(value.as_text())) {
    const std::string& text = value.as_text();
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 2, "${") == 0) {
        const size_t before = out.find_last_not_of('\\');
        const size_t backslashes = out.size() - (before == std::string::npos ? 0 : before + 1);
        out.append(backslashes + 1, '\\');  // each backslash in front is one of the text's own
      }
      out += text[i];
    }
    return Value(std::move(out)).set_origin(origin);
  }
  return value;
}

}  // namespace patchioner
