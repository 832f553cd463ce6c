// A section inside a plugin's section (`search: {type: beam}`): an option that holds any value, read as
// options of its own.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

namespace patchioner {

/// The section with its paths as a plugin gets those of its own options: relative ones from the folder of the
/// file that says them, "hf:" names as files of the local cache.
Value with_resolved_paths(const ParameterSchema& schema, Value section);

/// The options of a section, or of none; errors as validate(), which name the key as `where` ("search").
template <class Options>
Options read_section(const Value& section, const std::string& where) {
  return read_options<Options>(with_resolved_paths(schema_of<Options>(), section), where);
}

}  // namespace patchioner
