// What headers declare, as far as somebody who includes them or was compiled with them can notice.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sdk {

/// A type, function, alias, constant or macro.
struct Declaration {
  /// "in SCOPE: TEXT" on one line, without comments, bodies of functions and names of their arguments; of a
  /// class all in front of its members.
  std::string line;
  /// Of a class its data and its virtual functions, of an enumeration its enumerators: what has a place.
  std::vector<std::string> places;
  std::vector<std::string> members;  ///< what else a class declares

  bool operator==(const Declaration&) const = default;
};

/// What a folder of headers declares.
struct Declarations {
  std::vector<Declaration> all;  ///< in the order of the headers
  /// What must come from a library, by full name, and how often: functions without a body, and "vtable for
  /// C", "typeinfo for C" and "typeinfo name for C" of a class with a virtual one, which are compiled beside
  /// it.
  std::map<std::string, size_t> compiled;
  std::set<std::string> types;  ///< full names
};

/// Adds what a header declares. It is read as the SDK's headers are written: no declaration is made by a
/// macro, and every type is defined where nothing else is declared. Throws an Error of kind data for braces
/// or parentheses that do not close.
void add_declarations(std::string_view header, Declarations& declarations);

}  // namespace sdk
