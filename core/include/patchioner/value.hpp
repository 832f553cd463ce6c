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
  std::string file;  ///< path as it was opened
  int line = 0;      ///< of the file
  int column = 0;    ///< of the line

  /// "configs/a.yaml:3:7", "command line", or "default" when nothing is known.
  std::string to_string() const;
};

/// null, boolean, integer, number, text, list or map. Maps keep the order of their keys; keys are unique.
class Value {
 public:
  /// What a value may be.
  enum class Type { null, boolean, integer, number, text, list, map };
  using List = std::vector<Value>;                         ///< in the order of the document
  using Map = std::vector<std::pair<std::string, Value>>;  ///< keys and entries, in the same

  Value() = default;                                        ///< null
  Value(bool value) : data_(value) {}                       ///< a boolean
  Value(int value) : data_(static_cast<int64_t>(value)) {}  ///< an integer
  Value(int64_t value) : data_(value) {}                    ///< an integer
  Value(double value) : data_(value) {}                     ///< a number
  Value(const char* value) : data_(std::string(value)) {}   ///< a text
  Value(std::string value) : data_(std::move(value)) {}     ///< a text
  Value(List value) : data_(std::move(value)) {}            ///< a list
  Value(Map value) : data_(std::move(value)) {}             ///< a map, whose keys must be unique

  Type type() const { return static_cast<Type>(data_.index()); }  ///< what it is
  bool is_null() const { return type() == Type::null; }           ///< whether nothing is said
  bool is_map() const { return type() == Type::map; }             ///< whether find, at, set and erase apply
  bool is_list() const { return type() == Type::list; }           ///< whether it is a list
  bool is_text() const { return type() == Type::text; }           ///< whether it is a text

  /// The content as the asked type. An integer is also a number. Anything else throws an Error of kind config
  /// that names the origin, the type found and the type wanted.
  bool as_boolean() const;
  int64_t as_integer() const;          ///< likewise
  double as_number() const;            ///< likewise
  const std::string& as_text() const;  ///< likewise; lives as long as this value
  const List& as_list() const;         ///< likewise
  const Map& as_map() const;           ///< likewise
  List& as_list();                     ///< likewise, to be changed
  Map& as_map();                       ///< likewise, to be changed; keys stay unique

  /// The entry of a map, or nullptr when this is no map or has no such key. Never throws.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);  ///< likewise, to be changed

  /// The entry at a dotted path ("gap.temperature", "gap.1.std"; list entries count from 0), or nullptr.
  const Value* find_path(std::string_view path) const;

  /// The entry of a map; throws an Error of kind config that lists the keys there are when it is absent.
  const Value& at(std::string_view key) const;

  /// Sets or adds an entry of a map; a null value becomes an empty map first.
  void set(std::string key, Value value);

  /// Removes an entry of a map; returns whether it was there.
  bool erase(std::string_view key);

  /// Where it was written.
  const Origin& origin() const { return origin_; }

  /// Says where it was written; what is in it keeps its own. Returns this value.
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
