// Every plugin declares its parameters once, beside the struct that holds them:
//
//     struct GaussianOptions {
//       double variance = 1.0;
//     };
//     inline void declare(ParameterList<GaussianOptions>& list) {
//       list.add("variance", &GaussianOptions::variance, "variance of the weights in units of half the
//       region").range(0, 1e6);
//     }
//
// From that one declaration come the validation of YAML (with file, line and column, and "did you mean"), the
// defaults, the output of `plugins describe`, and the reference page. The YAML key has the name of the field.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <patchioner/value.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace patchioner {

/// What a parameter may hold. `path` is text that names a file: it is resolved against the folder of the YAML
/// file that says it, and `hf:org/name[@revision]` against the local Hugging Face cache, before the plugin
/// sees it. `any` is a Value that the plugin reads itself.
enum class ParameterType { boolean, integer, number, text, path, text_list, any };

/// "boolean", "text_list" ...: the enumerator's name, as the JSON of a schema has it.
std::string_view to_string(ParameterType type);

/// One parameter, as data: what the host needs to validate, to document and to complete it.
struct Parameter {
  std::string name;                          ///< the YAML key
  ParameterType type = ParameterType::text;  ///< what it may hold
  Value default_value;                       ///< null with `required`: there is no default
  bool required = false;                     ///< a config must give it
  std::optional<double> minimum;             ///< of integers and numbers, inclusive
  std::optional<double> maximum;             ///< the same
  /// Of texts: when not empty, nothing else is allowed. Of paths: words that name no file ("none") and reach
  /// the plugin as they are.
  std::vector<std::string> choices;
  std::string help;  ///< one line, units included
};

/// All parameters of a plugin or of a section of the config.
using ParameterSchema = std::vector<Parameter>;

/// What a plugin says of itself beside its options, for `plugins describe` and the reference page; one line
/// of plain text. Of backbones these topics are expected: "features" (what a patch's vector is), "space"
/// (whose texts it compares with), "input" (sizes), "files" (published names), "source" (paper and code).
struct PluginNote {
  std::string topic;  ///< unique within the plugin
  std::string text;   ///< one line
};

/// Checks `options` (a map, or null for "nothing given") against `schema` and returns a map that has a value
/// for every parameter, defaults included, in the order of the schema. `where` is the key path for messages
/// ("backbone"). Throws an Error of kind config: unknown key (with the nearest name), wrong type, out of
/// range, not one of the choices, required but missing. [any-thread]
Value validate(const ParameterSchema& schema, const Value& options, const std::string& where);

/// The schema as JSON text: how it crosses the plain-data border of a plugin.
std::string schema_to_json(const ParameterSchema& schema);

/// And back. Throws an Error of kind plugin for text that is no schema.
ParameterSchema schema_from_json(const std::string& json);

/// The same for notes: a JSON object, a key a topic.
std::string notes_to_json(const std::vector<PluginNote>& notes);

/// And back. Throws an Error of kind plugin for text that is none.
std::vector<PluginNote> notes_from_json(const std::string& json);

namespace detail {
Value to_value(bool value);
Value to_value(int64_t value);
Value to_value(double value);
Value to_value(const std::string& value);
Value to_value(const std::vector<std::string>& value);
Value to_value(const Value& value);
void from_value(const Value& value, bool& out);
void from_value(const Value& value, int64_t& out);
void from_value(const Value& value, double& out);
void from_value(const Value& value, std::string& out);
void from_value(const Value& value, std::vector<std::string>& out);
void from_value(const Value& value, Value& out);

template <class Field>
constexpr ParameterType type_of() {
  if constexpr (std::is_same_v<Field, bool>) {
    return ParameterType::boolean;
  } else if constexpr (std::is_same_v<Field, int64_t>) {
    return ParameterType::integer;
  } else if constexpr (std::is_same_v<Field, double>) {
    return ParameterType::number;
  } else if constexpr (std::is_same_v<Field, std::string>) {
    return ParameterType::text;
  } else if constexpr (std::is_same_v<Field, std::vector<std::string>>) {
    return ParameterType::text_list;
  } else {
    static_assert(std::is_same_v<Field, Value>,
                  "a parameter is a bool, int64_t, double, string, list of strings or Value");
    return ParameterType::any;
  }
}
}  // namespace detail

/// Collects the declaration of one options struct. `Options` must be default-constructible: its initialisers
/// are the defaults.
template <class Options>
class ParameterList {
 public:
  /// Refines the parameter just added.
  class Refiner {
   public:
    /// Made by ParameterList::add; `parameter` must outlive it.
    explicit Refiner(Parameter& parameter) : parameter_(parameter) {}
    /// The least and the largest value, both allowed.
    Refiner& range(double minimum, double maximum = std::numeric_limits<double>::infinity()) {
      parameter_.minimum = minimum;
      if (maximum < std::numeric_limits<double>::infinity()) {
        parameter_.maximum = maximum;
      }
      return *this;
    }
    /// Nothing else is allowed; of a path, words that name no file.
    Refiner& choices(std::vector<std::string> allowed) {
      parameter_.choices = std::move(allowed);
      return *this;
    }
    /// A config must give it; the field's initialiser is no default.
    Refiner& required() {
      parameter_.required = true;
      parameter_.default_value = Value();
      return *this;
    }
    /// There is no value unless one is given; without it the field keeps what its struct says.
    Refiner& unset() {
      parameter_.default_value = Value();
      return *this;
    }
    /// A text that names a file (ParameterType::path).
    Refiner& path() {
      parameter_.type = ParameterType::path;
      return *this;
    }

   private:
    Parameter& parameter_;
  };

  /// A parameter called `name`, which is that of the field; its default is what the struct says, `help` one
  /// line with the unit.
  template <class Field>
  Refiner add(std::string name, Field Options::*field, std::string help) {
    Parameter parameter;
    parameter.name = name;
    parameter.type = detail::type_of<Field>();
    parameter.default_value = detail::to_value(defaults_.*field);
    parameter.help = std::move(help);
    schema_.push_back(std::move(parameter));
    readers_.push_back([name, field](const Value& map, Options& out) {
      if (const Value* value = map.find(name); value != nullptr && !value->is_null()) {
        detail::from_value(*value, out.*field);
      }
    });
    return Refiner(schema_.back());
  }

  /// Says something about the plugin as a whole; topics are unique.
  void note(std::string topic, std::string text) { notes_.push_back({std::move(topic), std::move(text)}); }

  /// What was added, in that order.
  const ParameterSchema& schema() const { return schema_; }

  /// What was noted, in that order.
  const std::vector<PluginNote>& notes() const { return notes_; }

  /// The struct filled from a validated map.
  Options read(const Value& validated) const {
    Options options;
    for (const auto& reader : readers_) {
      reader(validated, options);
    }
    return options;
  }

 private:
  Options defaults_;
  ParameterSchema schema_;
  std::vector<PluginNote> notes_;
  std::vector<std::function<void(const Value&, Options&)>> readers_;
};

/// The schema that `declare(ParameterList<Options>&)`, found beside Options, gives.
template <class Options>
ParameterSchema schema_of() {
  ParameterList<Options> list;
  declare(list);
  return list.schema();
}

/// The notes that the same function gives.
template <class Options>
std::vector<PluginNote> notes_of() {
  ParameterList<Options> list;
  declare(list);
  return list.notes();
}

/// Validates `options` and returns the filled struct; errors as validate().
template <class Options>
Options read_options(const Value& options, const std::string& where) {
  ParameterList<Options> list;
  declare(list);
  return list.read(validate(list.schema(), options, where));
}

}  // namespace patchioner
