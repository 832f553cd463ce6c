// A grid of factors: every combination of their values is a row.
#pragma once

#include <patchioner/value.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sweep/sweep_file.hpp"

namespace patchioner {

/// The texts of a map of words, in its order; numbers and booleans as they are written. `what` is for
/// messages. Throws an Error of kind config for another value.
std::vector<std::pair<std::string, std::string>> words_of(const Value& map, const std::string& what);

/// The sections `grid` and `exclude` of a sweep file.
class FactorGrid {
 public:
  /// Throws an Error of kind config with the place: a grid that is no map of lists, a key without values, two
  /// values of one name, an excluded key or value that there is not.
  FactorGrid(const Value& grid, const Value& exclude);

  size_t combinations() const;

  /// The rows that are not excluded, the last key changing fastest: names are those of the values joined by
  /// '-', factors are labels too unless the values have labels of their own. `config` is empty unless a key
  /// says it. Throws an Error of kind config for a {placeholder} that no value of the row gives.
  std::vector<SweepRow> rows() const;

 private:
  struct Level {
    std::string name;
    std::string config;  ///< of the key `config`
    std::vector<std::string> overrides;
    std::vector<std::pair<std::string, std::string>> with;
    std::vector<std::pair<std::string, std::string>> labels;
    Origin origin;
  };
  struct Factor {
    std::string key;
    std::vector<Level> levels;
  };
  struct Exclusion {
    std::vector<std::pair<size_t, std::vector<size_t>>>
        levels;  ///< of each factor named, those that are meant
  };
  static Level read_level(const std::string& key, const Value& value);
  void read_exclusion(const Value& entry);
  bool is_excluded(const std::vector<size_t>& chosen) const;
  SweepRow row_of(const std::vector<size_t>& chosen) const;

  Origin origin_;
  std::vector<Factor> factors_;
  std::vector<Exclusion> exclusions_;
};

}  // namespace patchioner
