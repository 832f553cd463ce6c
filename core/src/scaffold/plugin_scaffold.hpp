// A new plugin's project, made from the templates that come with the program: templates/plugins in the source
// tree, share/patchioner/templates/plugins where it is installed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scaffold/plugin_names.hpp"

namespace patchioner {

/// templates/plugins beside the build or the installation that `program` belongs to. Throws an Error of kind
/// io that names where was looked when there is none.
std::filesystem::path plugin_templates(const std::filesystem::path& program);

/// Writes the files of `templates`/common and `templates`/<kind> into `folder` with the names filled in, in
/// the files' paths too, and gives the paths that it wrote, relative to `folder`, sorted. The folder has to
/// be empty or not there (those above it are made); it gets everything or, when something fails, nothing.
/// Throws an Error of kind usage when it is a file or holds something, io when it cannot be written.
std::vector<std::filesystem::path> write_plugin_scaffold(const std::filesystem::path& templates,
                                                         const PluginNames& names,
                                                         const std::filesystem::path& folder);

}  // namespace patchioner
