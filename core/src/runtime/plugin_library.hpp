// One plugin's shared library: checked as a file, opened, and its descriptor checked, in that order.
#pragma once

#include <memory>

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// An opened library. Whoever holds the handle keeps the library open; and since a library must never be
/// unloaded, the process holds one as well.
struct PluginLibrary {
  PluginRecord record;
  const PatchionerPluginDescriptor* descriptor = nullptr;  ///< null when refused
  std::shared_ptr<void> handle;                            ///< null when refused before it was opened
};

/// Never throws for what is wrong with the file: that is the record's refusal.
PluginLibrary open_plugin_library(const std::filesystem::path& file);

}  // namespace patchioner
