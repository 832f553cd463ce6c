// The process in which a plugin is checked.
#pragma once

#include <cstddef>
#include <filesystem>

#include "conformance/workbench.hpp"

namespace patchioner {

/// Where the process that watches a child listens: a file descriptor that the child inherits.
constexpr int kCheckDescriptor = 3;

/// Runs the checks from the number `from` on and tells of them on kCheckDescriptor, as check_messages.hpp has
/// it. Returns when they are through; does not return when the plugin ends the process. [one-thread]
void run_check_child(const CheckRequest& request, size_t from, const std::filesystem::path& scratch);

}  // namespace patchioner
