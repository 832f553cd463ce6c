#include "config/json_value.hpp"

#include <limits>

#include "config/config.hpp"
#include "config/scalar.hpp"

namespace patchioner {

nlohmann::ordered_json json_from_value(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return value.as_boolean();
    case Value::Type::integer:
      return value.as_integer();
    case Value::Type::number:
      if (!std::isfinite(value.as_number())) {
        return format_number(value.as_number());
      }
      return value.as_number();
    case Value::Type::text:
      return value.as_text();
    case Value::Type::list: {
      auto array = nlohmann::ordered_json::array();
      for (const Value& entry : value.as_list()) {
        array.push_back(json_from_value(entry));
      }
      return array;
    }
    case Value::Type::map: {
      auto object = nlohmann::ordered_json::object();
      for (const auto& [key, entry] : value.as_map()) {
        object[key] = json_from_value(entry);
      }
      return object;
    }
  }
  return nullptr;
}

Value value_from_json(const nlohmann::ordered_json& json) {
  if (json.is_boolean()) {
    return json.get<bool>();
  }
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return json.get<double>();
  }
  if (json.is_number_integer()) {
    return json.get<int64_t>();
  }
  if (json.is_number_float()) {
    return json.get<double>();
  }
  if (json.is_string()) {
    return json.get<std::string>();
  }
  if (json.is_array()) {
    Value::List list;
    for (const auto& entry : json) {
      list.push_back(value_from_json(entry));
    }
    return list;
  }
  if (json.is_object()) {
    Value::Map map;
    for (const auto& [key, entry] : json.items()) {
      map.emplace_back(key, value_from_json(entry));
    }
    return map;
  }
  return {};
}

std::string write_json(const Value& value, int indent) {
  return json_from_value(value).dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace patchioner
