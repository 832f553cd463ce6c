// The one resolved document of a run: every option of every plugin and of the runtime, with its value.
#pragma once

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// What to do with a section whose plugin is not found.
enum class MissingPlugin {
  refuse,  ///< throw the host's Error
  keep,    ///< leave the section as it is written, and log why
};

/// One plugin's section with the plugin's defaults filled in and relative paths made absolute; see below.
Value complete_plugin_section(const Value& section, PluginKind kind, PluginHost& host,
                              MissingPlugin missing = MissingPlugin::refuse);

/// The section `runtime` of a config with every option.
Value complete_runtime_section(const Value& config);

/// `config` (from compose) with the plugins' and the runtime's defaults filled in and relative paths made
/// absolute: of declared options, and of sections inside them what existing_path() takes for one. Throws an
/// Error of kind config for wrong options.
Value complete_config(const Value& config, PluginHost& host, MissingPlugin missing = MissingPlugin::refuse);

/// The entries of `complete` that `written` has too: what a file says, with its paths made absolute.
Value only_written(const Value& complete, const Value& written);

}  // namespace patchioner
