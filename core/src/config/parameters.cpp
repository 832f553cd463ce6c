#include <fmt/ranges.h>

#include <cctype>
#include <patchioner/error.hpp>
#include <patchioner/parameters.hpp>

#include "config/json_value.hpp"
#include "config/scalar.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr std::array<std::pair<ParameterType, std::string_view>, 7> kTypeNames{{
    {ParameterType::boolean, "boolean"},
    {ParameterType::integer, "integer"},
    {ParameterType::number, "number"},
    {ParameterType::text, "text"},
    {ParameterType::path, "path"},
    {ParameterType::text_list, "text_list"},
    {ParameterType::any, "any"},
}};

/// What was found, for messages: "the text 'hot'", "the integer 3", "a list".
std::string describe(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return "nothing";
    case Value::Type::boolean:
      return value.as_boolean() ? "true" : "false";
    case Value::Type::integer:
      return fmt::format("the integer {}", value.as_integer());
    case Value::Type::number:
      return fmt::format("the number {}", format_number(value.as_number()));
    case Value::Type::text:
      return fmt::format("the text '{}'", value.as_text());
    case Value::Type::list:
      return "a list";
    case Value::Type::map:
      return "a map";
  }
  return "something else";
}

/// A sentence more for the mistakes that YAML invites.
std::string hint(ParameterType wanted, const Value& value) {
  if (value.is_text() && wanted == ParameterType::boolean) {
    std::string word = value.as_text();
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const std::string_view yes : {"yes", "on", "y", "true"}) {
      if (word == yes) {
        return "; write true, without quotes";
      }
    }
    for (const std::string_view no : {"no", "off", "n", "false"}) {
      if (word == no) {
        return "; write false, without quotes";
      }
    }
  }
  if (value.is_text() && (wanted == ParameterType::integer || wanted == ParameterType::number)) {
    const std::string& text = value.as_text();
    const Value plain = parse_plain_scalar(text, value.origin());
    if (plain.type() == Value::Type::integer || plain.type() == Value::Type::number) {
      return "; write it without quotes";
    }
    if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0]))) {
      return "; numbers are decimal, without leading zeros, separators or units";
    }
  }
  if (value.type() == Value::Type::number && wanted == ParameterType::integer) {
    return "; write it without a decimal point or exponent";
  }
  if ((wanted == ParameterType::text || wanted == ParameterType::path) &&
      (value.type() == Value::Type::boolean || value.type() == Value::Type::integer ||
       value.type() == Value::Type::number)) {
    return "; put it in quotes if this text is meant";
  }
  if (wanted == ParameterType::text_list && value.is_text()) {
    return fmt::format("; write [{}]", value.as_text());
  }
  return "";
}

std::string_view wanted_name(ParameterType type) {
  switch (type) {
    case ParameterType::boolean:
      return "true or false";
    case ParameterType::integer:
      return "an integer";
    case ParameterType::number:
      return "a number";
    case ParameterType::text:
      return "text";
    case ParameterType::path:
      return "a path (text)";
    case ParameterType::text_list:
      return "a list of texts";
    case ParameterType::any:
      return "any value";
  }
  return "any value";
}

bool has_type(ParameterType type, const Value& value) {
  switch (type) {
    case ParameterType::boolean:
      return value.type() == Value::Type::boolean;
    case ParameterType::integer:
      return value.type() == Value::Type::integer;
    case ParameterType::number:
      return value.type() == Value::Type::number || value.type() == Value::Type::integer;
    case ParameterType::text:
    case ParameterType::path:
      return value.is_text();
    case ParameterType::text_list:
      return value.is_list() && std::all_of(value.as_list().begin(), value.as_list().end(),
                                            [](const Value& entry) { return entry.is_text(); });
    case ParameterType::any:
      return true;
  }
  return false;
}

/// A limit as a user would write it: integers without ".0".
std::string limit(double value) {
  std::string text = format_number(value);
  if (text.size() > 2 && text.ends_with(".0")) {
    text.resize(text.size() - 2);
  }
  return text;
}

void check_range(const Parameter& parameter, const Value& value, const std::string& key) {
  if (!parameter.minimum && !parameter.maximum) {
    return;
  }
  const double number = value.as_number();
  const bool inside = !(parameter.minimum && !(number >= *parameter.minimum)) &&
                      !(parameter.maximum && !(number <= *parameter.maximum));
  if (inside) {
    return;
  }
  std::string range;
  if (parameter.minimum && parameter.maximum) {
    range = fmt::format("between {} and {}", limit(*parameter.minimum), limit(*parameter.maximum));
  } else if (parameter.minimum) {
    range = fmt::format("at least {}", limit(*parameter.minimum));
  } else {
    range = fmt::format("at most {}", limit(*parameter.maximum));
  }
  const std::string found =
      value.type() == Value::Type::integer ? fmt::format("{}", value.as_integer()) : format_number(number);
  throw Error(ErrorKind::config, "{}: '{}' must be {}, found {}", value.origin().to_string(), key, range,
              found);
}

void check_choices(const Parameter& parameter, const Value& value, const std::string& key) {
  if (parameter.choices.empty()) {
    return;
  }
  const auto check = [&](const std::string& text, const Origin& origin) {
    if (std::find(parameter.choices.begin(), parameter.choices.end(), text) != parameter.choices.end()) {
      return;
    }
    const std::string nearest = nearest_name(text, parameter.choices);
    throw Error(ErrorKind::config, "{}: '{}' must be one of {}; found '{}'{}", origin.to_string(), key,
                fmt::join(parameter.choices, ", "), text,
                nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
  };
  if (value.is_text()) {
    check(value.as_text(), value.origin());
  } else if (value.is_list()) {
    for (const Value& entry : value.as_list()) {
      check(entry.as_text(), entry.origin());
    }
  }
}

void check_value(const Parameter& parameter, const Value& value, const std::string& key) {
  if (!has_type(parameter.type, value)) {
    throw Error(ErrorKind::config, "{}: '{}' must be {}, found {}{}", value.origin().to_string(), key,
                wanted_name(parameter.type), describe(value), hint(parameter.type, value));
  }
  if (parameter.type == ParameterType::integer || parameter.type == ParameterType::number) {
    check_range(parameter, value, key);
  }
  if (parameter.type == ParameterType::text || parameter.type == ParameterType::text_list) {
    check_choices(parameter, value, key);
  }
}

ParameterType type_from_name(const std::string& name) {
  for (const auto& [type, type_name] : kTypeNames) {
    if (type_name == name) {
      return type;
    }
  }
  throw Error(ErrorKind::plugin, "unknown parameter type '{}' in a parameter schema", name);
}

/// A key as messages name it; those of a whole file stand in no section.
std::string key_in(const std::string& section, const std::string& key) {
  return section.empty() ? key : section + "." + key;
}

}  // namespace

std::string_view to_string(ParameterType type) {
  for (const auto& [known, name] : kTypeNames) {
    if (known == type) {
      return name;
    }
  }
  return "unknown";
}

Value validate(const ParameterSchema& schema, const Value& options, const std::string& where) {
  if (!options.is_null() && !options.is_map()) {
    throw Error(ErrorKind::config, "{}: '{}' must be a map of options, found {}",
                options.origin().to_string(), where, describe(options));
  }
  static const Value::Map kNothing;
  const Value::Map& given = options.is_null() ? kNothing : options.as_map();
  for (const auto& [key, value] : given) {
    const bool known = std::any_of(schema.begin(), schema.end(),
                                   [&](const Parameter& parameter) { return parameter.name == key; });
    if (!known) {
      std::vector<std::string> names;
      for (const Parameter& parameter : schema) {
        names.push_back(parameter.name);
      }
      throw Error(ErrorKind::config, "{}: unknown key '{}'{}", value.origin().to_string(), key_in(where, key),
                  schema.empty() ? "; it has no options" : suggestion(key, names));
    }
  }
  Value result = Value::Map();
  result.set_origin(options.origin());
  for (const Parameter& parameter : schema) {
    const std::string key = key_in(where, parameter.name);
    const Value* value = options.find(parameter.name);
    if (value == nullptr || value->is_null()) {  // `key:` and `key: null` mean "as if it were not there"
      if (parameter.required) {
        const Origin& origin = value == nullptr ? options.origin() : value->origin();
        throw Error(ErrorKind::config, "{}: '{}' is required ({}: {})", origin.to_string(), key,
                    to_string(parameter.type), parameter.help);
      }
      result.set(parameter.name, parameter.default_value);
      continue;
    }
    check_value(parameter, *value, key);
    result.set(parameter.name, *value);
  }
  return result;
}

std::string schema_to_json(const ParameterSchema& schema) {
  auto array = nlohmann::ordered_json::array();
  for (const Parameter& parameter : schema) {
    nlohmann::ordered_json entry;
    entry["name"] = parameter.name;
    entry["type"] = to_string(parameter.type);
    entry["default"] = json_from_value(parameter.default_value);
    if (parameter.required) {
      entry["required"] = true;
    }
    if (parameter.minimum) {
      entry["minimum"] = *parameter.minimum;
    }
    if (parameter.maximum) {
      entry["maximum"] = *parameter.maximum;
    }
    if (!parameter.choices.empty()) {
      entry["choices"] = parameter.choices;
    }
    entry["help"] = parameter.help;
    array.push_back(std::move(entry));
  }
  return array.dump();
}

ParameterSchema schema_from_json(const std::string& json) {
  try {
    ParameterSchema schema;
    for (const auto& entry : nlohmann::ordered_json::parse(json)) {
      Parameter parameter;
      parameter.name = entry.at("name").get<std::string>();
      parameter.type = type_from_name(entry.at("type").get<std::string>());
      parameter.default_value = value_from_json(entry.at("default"));
      if (parameter.type == ParameterType::number && parameter.default_value.is_text()) {
        parameter.default_value =
            parse_plain_scalar(parameter.default_value.as_text(), {});  // JSON has no infinity
      }
      parameter.required = entry.value("required", false);
      if (entry.contains("minimum")) {
        parameter.minimum = entry.at("minimum").get<double>();
      }
      if (entry.contains("maximum")) {
        parameter.maximum = entry.at("maximum").get<double>();
      }
      parameter.choices = entry.value("choices", std::vector<std::string>());
      parameter.help = entry.at("help").get<std::string>();
      schema.push_back(std::move(parameter));
    }
    return schema;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::plugin, "the parameter schema is no valid JSON description of parameters: {}",
                error.what());
  }
}

namespace detail {

Value to_value(bool value) {
  return value;
}
Value to_value(int64_t value) {
  return value;
}
Value to_value(double value) {
  return value;
}
Value to_value(const std::string& value) {
  return value;
}
Value to_value(const std::vector<std::string>& value) {
  return Value::List(value.begin(), value.end());
}
Value to_value(const Value& value) {
  return value;
}

void from_value(const Value& value, bool& out) {
  out = value.as_boolean();
}
void from_value(const Value& value, int64_t& out) {
  out = value.as_integer();
}
void from_value(const Value& value, double& out) {
  out = value.as_number();
}
void from_value(const Value& value, std::string& out) {
  out = value.as_text();
}
void from_value(const Value& value, std::vector<std::string>& out) {
  out.clear();
  for (const Value& entry : value.as_list()) {
    out.push_back(entry.as_text());
  }
}
void from_value(const Value& value, Value& out) {
  out = value;
}

}  // namespace detail
std::string notes_to_json(const std::vector<PluginNote>& notes) {
  auto object = nlohmann::ordered_json::object();
  for (const PluginNote& note : notes) {
    object[note.topic] = note.text;
  }
  return object.dump();
}

std::vector<PluginNote> notes_from_json(const std::string& json) {
  try {
    std::vector<PluginNote> notes;
    const auto object = nlohmann::ordered_json::parse(json);
    for (const auto& [topic, text] : object.items()) {
      notes.push_back({topic, text.get<std::string>()});
    }
    return notes;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::plugin, "the plugin's notes cannot be read: {}", error.what());
  }
}

}  // namespace patchioner
