// How a later document changes an earlier one.
#pragma once

#include <patchioner/value.hpp>

namespace patchioner {

/// Maps merge key by key, everything else replaces. When both maps name a `plugin` and the names differ, the
/// later map replaces the earlier one: the options were the other plugin's. A map without `plugin` over a
/// list of plugins throws an Error of kind config, since it cannot say which of them it means.
void merge(Value& base, const Value& over, const std::string& path = "");

/// Whether both name a plugin, and not the same one.
bool changes_plugin(const Value& base, const Value& over);

}  // namespace patchioner
