// The plugins of a config, one by one.
#pragma once

#include <patchioner/plugin.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// One plugin of the chain with its options.
struct PluginSection {
  PluginKind kind;
  std::string path;  ///< where it stands in the config: "backbone", "gap.1"
  Value options;
};

/// The plugins in the order in which a feature meets them, gap entries one by one. `config` is complete.
std::vector<PluginSection> plugin_sections(const Value& config);

/// Their names, in the same order.
std::vector<std::string> plugin_chain(const Value& config);

}  // namespace patchioner
