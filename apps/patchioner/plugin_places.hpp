// The option --path of the commands that look for plugins.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace patchioner {

/// Adds `-p,--path PLACE`, which fills `places` and may be repeated.
void add_plugin_places(CLI::App& command, std::vector<std::string>& places);

/// The places for a PluginHost. Throws an Error of kind usage for one that does not exist.
std::vector<std::filesystem::path> existing_places(const std::vector<std::string>& places);

}  // namespace patchioner
