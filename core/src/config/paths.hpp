// Where a path that stands in a config leads to.
#pragma once

#include <filesystem>
#include <optional>
#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>

namespace patchioner {

/// The path that a text names: relative ones start at the folder of the file that says it (an override's and
/// an environment variable's: at the current folder), and "~/" is the home folder. "hf:..." and an empty text
/// come back as they are.
std::string resolve_path(const Value& text);

/// The path that a value without a declared type leads to, or nothing when it is none: a text with a '.' or
/// '/' in it where a file lies, or with a '/' where a folder does. A word alone ("greedy") is never a path,
/// whatever lies beside the file that says it.
std::optional<std::string> existing_path(const Value& value);

/// The section `name` of a resolved document with every option of `schema`, defaults filled in and those of
/// type path made absolute; one that is absent is all defaults. Throws an Error of kind config that says
/// where.
Value complete_section(const Value& config, const ParameterSchema& schema, const std::string& name);

}  // namespace patchioner
