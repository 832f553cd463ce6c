// "Did you mean": the closest valid names to one that is not valid.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// Number of single-character insertions, deletions, replacements and swaps of neighbours that turn one text
/// into the other.
size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate closest to `name`, or empty when none is close enough (a third of the length, at least 2
/// edits).
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" when a candidate is close, otherwise "; known are: a, b, c" (at most 12 of them),
/// for the end of messages.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace patchioner
