// What makes the captions of two runs the same: plugins with their options, the content of the files that
// these name, device and precision.
#pragma once

#include <filesystem>
#include <functional>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "runtime/plugin_host.hpp"
#include "runtime/plugin_sections.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {

/// The same for files of the same content, wherever they lie, and for folders of such files: hexadecimal
/// SHA-256 of the content, and of a file of more than 64 MiB of its size and 64 blocks of a MiB, the first
/// and the last among them. Throws an Error of kind io.
std::string content_digest(const std::filesystem::path& path);

/// A file that an option of a plugin names.
struct NamedFile {
  std::string key;     ///< "backbone.weights", "decoder.meacap.memory"
  std::string path;    ///< as the config has it
  std::string digest;  ///< of its content; of "hf:..." the path of the cached snapshot; "absent"
};

/// content_digest of a file, computed once a process for as long as its size and time stay: runs share
/// weights. Errors as content_digest.
std::string remembered_digest(const std::filesystem::path& path);

/// One plugin of a config, and all of it that decides what it computes.
struct PluginSettings {
  PluginKind kind = PluginKind::backbone;
  std::string name;
  std::string text;  ///< name, version and options, of files their content's digest
  std::filesystem::path library;
  std::vector<NamedFile> files;  ///< of options of type path, and of their nested sections
};

/// How files are told apart: by remembered_digest, or for whoever keeps results for years by all of their
/// content.
using FileDigest = std::function<std::string(const std::filesystem::path& file)>;

/// Of one section, whose options are complete.
PluginSettings plugin_settings(const PluginSection& section, PluginHost& host,
                               const FileDigest& digest = remembered_digest);

/// What decides the captions of a config.
struct RunSettings {
  std::vector<PluginSettings> plugins;
  std::vector<NamedFile> files;  ///< of all plugins
  std::string digest;            ///< twelve hexadecimal digits that are the same when captions would be
};

/// `config` is complete. Of files only the content counts, not where they lie; `more` is whatever else
/// decides the results.
RunSettings run_settings(const Value& config, PluginHost& host, const std::string& more = "");

/// The same of plugins whose settings are known, in the order in which a feature meets them.
RunSettings run_settings(std::vector<PluginSettings> plugins, const RuntimeOptions& runtime,
                         const std::string& more = "");

}  // namespace patchioner
