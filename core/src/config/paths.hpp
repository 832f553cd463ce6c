// Where a path that stands in a config leads to.
#pragma once

#include <filesystem>
#include <patchioner/value.hpp>

namespace patchioner {

/// The path that a text names: relative ones start at the folder of the file that says it (an override's and
/// an environment variable's: at the current folder), and "~/" is the home folder. "hf:..." and an empty text
/// come back as they are.
std::string resolve_path(const Value& text);

}  // namespace patchioner
