#include <charconv>
#include <patchioner/error.hpp>
#include <patchioner/value.hpp>

namespace patchioner {
namespace {

[[noreturn]] void wrong_type(const Value& value, std::string_view wanted) {
  throw Error(ErrorKind::config, "{}: expected {}, found {}", value.origin().to_string(), wanted,
              to_string(value.type()));
}

}  // namespace

std::string Origin::to_string() const {
  if (file.empty()) {
    return "default";
  }
  if (line == 0) {
    return file;
  }
  return fmt::format("{}:{}:{}", file, line, column);
}

std::string_view to_string(Value::Type type) {
  switch (type) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return "boolean";
    case Value::Type::integer:
      return "integer";
    case Value::Type::number:
      return "number";
    case Value::Type::text:
      return "text";
    case Value::Type::list:
      return "list";
    case Value::Type::map:
      return "map";
  }
  return "unknown";
}

bool Value::as_boolean() const {
  if (const bool* value = std::get_if<bool>(&data_)) {
    return *value;
  }
  wrong_type(*this, "true or false");
}

int64_t Value::as_integer() const {
  if (const int64_t* value = std::get_if<int64_t>(&data_)) {
    return *value;
  }
  wrong_type(*this, "an integer");
}

double Value::as_number() const {
  if (const double* value = std::get_if<double>(&data_)) {
    return *value;
  }
  if (const int64_t* value = std::get_if<int64_t>(&data_)) {
    return static_cast<double>(*value);
  }
  wrong_type(*this, "a number");
}

const std::string& Value::as_text() const {
  if (const std::string* value = std::get_if<std::string>(&data_)) {
    return *value;
  }
  wrong_type(*this, "text");
}

const Value::List& Value::as_list() const {
  if (const List* value = std::get_if<List>(&data_)) {
    return *value;
  }
  wrong_type(*this, "a list");
}

const Value::Map& Value::as_map() const {
  if (const Map* value = std::get_if<Map>(&data_)) {
    return *value;
  }
  wrong_type(*this, "a map");
}

Value::List& Value::as_list() {
  return const_cast<List&>(static_cast<const Value*>(this)->as_list());
}

Value::Map& Value::as_map() {
  return const_cast<Map&>(static_cast<const Value*>(this)->as_map());
}

const Value* Value::find(std::string_view key) const {
  if (const Map* map = std::get_if<Map>(&data_)) {
    for (const auto& [name, value] : *map) {
      if (name == key) {
        return &value;
      }
    }
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

const Value* Value::find_path(std::string_view path) const {
  const Value* value = this;
  while (value != nullptr && !path.empty()) {
    const size_t dot = path.find('.');
    const std::string_view step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    if (const List* list = std::get_if<List>(&value->data_)) {
      size_t index = 0;
      const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      const bool valid = error == std::errc() && end == step.data() + step.size() && index < list->size();
      value = valid ? &(*list)[index] : nullptr;
    } else {
      value = value->find(step);
    }
  }
  return value;
}

const Value& Value::at(std::string_view key) const {
  if (const Value* value = find(key)) {
    return *value;
  }
  std::string keys;
  for (const auto& [name, value] : as_map()) {
    keys += (keys.empty() ? "" : ", ") + name;
  }
  throw Error(ErrorKind::config, "{}: the key '{}' is missing; there are: {}", origin_.to_string(), key,
              keys.empty() ? "none" : keys);
}

void Value::set(std::string key, Value value) {
  if (is_null()) {
    data_ = Map{};
  }
  if (Value* present = find(key)) {
    *present = std::move(value);
    return;
  }
  as_map().emplace_back(std::move(key), std::move(value));
}

bool Value::erase(std::string_view key) {
  return is_map() && std::erase_if(as_map(), [key](const auto& entry) { return entry.first == key; }) > 0;
}

}  // namespace patchioner
