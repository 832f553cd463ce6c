// What --help says of a section of the config that a command reads.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>
#include <string_view>

namespace patchioner {

/// A heading, and a line an option: name, what it is, and its default or "required".
std::string section_help(std::string_view section, const ParameterSchema& schema);

}  // namespace patchioner
