// The SDK's surface as it is, as it is recorded, and what is between the two.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "declarations.hpp"
#include "exports.hpp"

namespace sdk {

struct Surface {
  int version = 0;                        ///< PATCHIONER_SDK_VERSION
  std::vector<std::string> exports;       ///< symbols under the SDK's version, sorted
  std::vector<Declaration> declarations;  ///< without the version
};

/// What is declared, under the version that is declared there. Throws an Error of kind data when none is.
Surface surface_of(Declarations declarations);

/// The file's text and back. Behind each symbol stands what C++ calls it. Errors of kind data name the line.
std::string write_surface(const Surface& surface);
Surface parse_surface(std::string_view text);

/// What has become of a surface, a line each.
struct SurfaceChanges {
  std::vector<std::string> noticed;  ///< "- ..." and "+ ..." of what an already built plugin relies on
  std::vector<std::string> added;    ///< "+ ..." of what no plugin can have used

  bool empty() const { return noticed.empty() && added.empty(); }
};

SurfaceChanges compare(const Surface& recorded, const Surface& found);

/// What is wrong with a library that should export `recorded`, a sentence each: symbols that are missing,
/// that are exported beside the SDK's and private ones, and functions that are declared but come from
/// nowhere.
std::vector<std::string> check_exports(const std::vector<Export>& exports, const Declarations& declarations,
                                       const Surface& recorded);

/// The symbols to record: all that are declared, and of {fmt} those that were recorded before.
std::vector<std::string> exports_to_record(const std::vector<Export>& exports,
                                           const Declarations& declarations, const Surface& recorded);

}  // namespace sdk
