// One plugin's shared library: checked as a file, opened, and its descriptor checked, in that order.
#pragma once

#include <memory>

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// The one function that a plugin exports.
constexpr const char* kDescriptorSymbol = "patchioner_plugin_descriptor";

/// What a library has to pass, in order.
enum class PluginStep {
  file,          ///< it is there
  library,       ///< it is a shared library of this machine
  symbol,        ///< it exports kDescriptorSymbol
  dependencies,  ///< the libraries that it needs are found
  opening,       ///< the dynamic linker takes it, and its function gives a descriptor
  sdk,           ///< the magic number and the SDK's version
  build,         ///< the fingerprint
  name,          ///< kind, name and factory
  declaration,   ///< parameters and notes can be read
};

/// An opened library. Whoever holds the handle keeps the library open; and since a library must never be
/// unloaded, the process holds one as well.
struct PluginLibrary {
  PluginRecord record;
  PluginStep step = PluginStep::file;                      ///< the last one that it came to
  const PatchionerPluginDescriptor* descriptor = nullptr;  ///< null when refused
  std::shared_ptr<void> handle;                            ///< null when refused before it was opened
};

/// Never throws for what is wrong with the file: that is the record's refusal.
PluginLibrary open_plugin_library(const std::filesystem::path& file);

}  // namespace patchioner
