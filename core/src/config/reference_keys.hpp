// How keys are taken out of a model file of the reference implementation.
#pragma once

#include <optional>
#include <patchioner/value.hpp>
#include <set>
#include <string>
#include <vector>

namespace patchioner {

/// Reads the keys of one map and remembers which were read. YAML 1.1's booleans (True, yes, off ...) are
/// understood, since the reference's reader does. A value of another type than the asked one throws an Error
/// of kind config that says where.
class ReferenceKeys {
 public:
  /// `map` must outlive this. `where` stands in front of keys in messages ("viecap.").
  ReferenceKeys(const Value& map, std::string where) : map_(map), where_(std::move(where)) {}

  /// nullptr when the key is absent or null.
  const Value* find(const std::string& key);

  bool boolean(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise = "");
  std::optional<int64_t> integer(const std::string& key);
  std::optional<double> number(const std::string& key);
  ReferenceKeys map(const std::string& key);

  /// Marks keys as read whose content needs no counterpart.
  void pass_over(const std::vector<std::string>& keys) { used_.insert(keys.begin(), keys.end()); }

  std::vector<std::string> unused() const;
  const std::string& where() const { return where_; }

  /// The boolean that YAML 1.1 sees, if any.
  static std::optional<bool> as_boolean(const Value& value);

 private:
  [[noreturn]] void wrong_type(const std::string& key, const Value& value, std::string_view wanted) const;
  const Value& map_;
  std::string where_;
  std::set<std::string> used_;
};

/// Every key that the reference's model files or its evaluation flags know (spec/01 section 2).
const std::vector<std::string>& known_reference_keys();

}  // namespace patchioner
