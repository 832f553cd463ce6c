// What makes the captions of two runs the same: plugins with their options, the content of the files that
// these name, device and precision.
#pragma once

#include <filesystem>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// The same for files of the same content, wherever they lie, and for folders of such files: hexadecimal
/// SHA-256 of the content, and of a file of more than 64 MiB of its size and 64 blocks of a MiB, the first
/// and the last among them. Throws an Error of kind io.
std::string content_digest(const std::filesystem::path& path);

/// A file that an option of a plugin names.
struct NamedFile {
  std::string key;     ///< "backbone.weights"
  std::string path;    ///< as the config has it
  std::string digest;  ///< of its content; of "hf:..." the path of the cached snapshot; "absent"
};

/// Of every option of type path that is set. `config` is complete.
std::vector<NamedFile> named_files(const Value& config, PluginHost& host);

/// Twelve hexadecimal digits that are the same when captions would be. `config` is complete and `files` are
/// its named files; `more` is whatever else decides the results.
std::string settings_digest(const Value& config, const std::vector<NamedFile>& files,
                            const std::string& more);

}  // namespace patchioner
