// What the commands below `plugins` share: how a plugin's options are said in a line.
#pragma once

#include <CLI/CLI.hpp>
#include <patchioner/parameters.hpp>
#include <string>

#include "commands.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

/// "0 to 100", "at least 1", "reference | intersect"; empty when everything is.
std::string allowed_text(const Parameter& parameter);

/// The default as one would write it, or "(required)", "(unset)".
std::string default_text(const Parameter& parameter);

/// Adds `plugins check` (plugins_check.cpp).
void add_plugins_check(CLI::App& plugins, CommandLine& line);

/// Adds `plugins new` (plugins_new.cpp).
void add_plugins_new(CLI::App& plugins, const CommandLine& line);

/// Adds `plugins page` (plugins_page.cpp).
void add_plugins_page(CLI::App& plugins);

}  // namespace patchioner
