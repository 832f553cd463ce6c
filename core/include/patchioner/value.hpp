// A tree of settings in which every node knows the file, line and column it came from. YAML documents,
// command-line overrides and plugin options all travel as Values, so that an error about a setting can always
// say where it stands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace patchioner {

/// Where a value was written. Lines and columns count from 1; 0 means unknown. For an override, `file` is
/// "command line".
struct Origin {
  std::string file;
  int line = 0;
  int column = 0;

  /// "configs/a.yaml:3:7", "command line", or "default" when nothing is known.
  std::string to_string() const;
};

/// null, boolean, integer, number, text, list or map. Maps keep the order of their keys; keys are unique.
class Value {
 public:
  enum class Type { null, boolean, integer, number, text, list, map };
  using List = std::vector<Value>;
  using Map = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  Value(bool value) : data_(value) {}
  Value(int value) : data_(static_cast<int64_t>(value)) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(List value) : data_(std::move(value)) {}
  Value(Map value) : data_(std::move(value)) {}

  Type type() const { return static_cast<Type>(data_.index()); }
  bool is_null() const { return type() == Type::null; }
  bool is_map() const { return type() == Type::map; }
  bool is_list() const { return type() == Type::list; }
  bool is_text() const { return type() == Type::text; }

  /// The content as the asked type. An integer is also a number. Anything else throws an Error of kind config
  /// that names the origin, the type found and the type wanted.
  bool as_boolean() const;
  int64_t as_integer() const;
  double as_number() const;
  const std::string& as_text() const;
  const List& as_list() const;
  const Map& as_map() const;
  List& as_list();
  Map& as_map();

  /// The entry of a map, or nullptr when this is no map or has no such key. Never throws.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);

  /// The entry at a dotted path ("gap.temperature", "gap.1.std"; list entries count from 0), or nullptr.
  const Value* find_path(std::string_view path) const;

  /// The entry of a map; throws an Error of kind config that lists the keys there are when it is absent.
  const Value& at(std::string_view key) const;

  /// Sets or adds an entry of a map; a null value becomes an empty map first.
  void set(std::string key, Value value);

  /// Removes an entry of a map; returns whether it was there.
  bool erase(std::string_view key);

  const Origin& origin() const { return origin_; }
  Value& set_origin(Origin origin) {
    origin_ = std::move(origin);
    return *this;
  }

  /// Equal content; origins do not matter.
  friend bool operator==(const Value& left, const Value& right) { return left.data_ == right.data_; }

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Map> data_;
  Origin origin_;
};

/// "boolean", "list" ... as messages name them.
std::string_view to_string(Value::Type type);

}  // namespace patchioner
