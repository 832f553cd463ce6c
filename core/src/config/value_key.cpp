#include "config/value_key.hpp"

#include "config/scalar.hpp"

namespace patchioner {
namespace {

/// With its length in front, so that what follows cannot be taken for a part of it.
void append_text(const std::string& text, std::string& key) {
  key += std::to_string(text.size());
  key += ':';
  key += text;
}

}  // namespace

void append_key(const Value& value, std::string& key) {
  switch (value.type()) {
    case Value::Type::null:
      key += 'n';
      break;
    case Value::Type::boolean:
      key += value.as_boolean() ? 't' : 'f';
      break;
    case Value::Type::integer:
      key += 'i';
      append_text(std::to_string(value.as_integer()), key);
      break;
    case Value::Type::number:
      key += 'd';
      append_text(format_number(value.as_number()), key);
      break;
    case Value::Type::text:
      key += 's';
      append_text(value.as_text(), key);
      append_text(value.origin().file, key);
      break;
    case Value::Type::list:
      key += '[';
      for (const Value& entry : value.as_list()) {
        append_key(entry, key);
      }
      key += ']';
      break;
    case Value::Type::map:
      key += '{';
      for (const auto& [name, entry] : value.as_map()) {
        append_text(name, key);
        append_key(entry, key);
      }
      key += '}';
      break;
  }
}

std::string key_of(const Value& value) {
  std::string key;
  append_key(value, key);
  return key;
}

}  // namespace patchioner
