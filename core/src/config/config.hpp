// One resolved document describes a run (design, "Configuration"): defaults in order, then the file's own
// keys, then command-line overrides; ${path.to.key} and ${env:NAME,default}; unknown keys and wrong types are
// errors with file, line, column.
#pragma once

#include <filesystem>
#include <patchioner/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// Reads one YAML document strictly: duplicate keys, `<<`, a second document, alias cycles, more than 100,000
/// nodes, nesting over 200 are Errors of kind config with file:line:column. Booleans are `true`/`false`,
/// integers decimal; quoted scalars stay text.
Value read_yaml(const std::filesystem::path& file);
Value parse_yaml(std::string_view text, const std::string& name);

/// The value as YAML text that read_yaml reads back equal. With `origins`, each leaf carries a comment "#
/// file:line".
std::string write_yaml(const Value& value, bool origins = false);
std::string write_json(const Value& value, int indent = 2);

/// Composes `file` with its `defaults:` list (configs/<group>/<choice>.yaml, looked for beside the file, in
/// its parents' `configs/`, and in the program's configs folder), merges its own keys, applies `overrides`
/// ("gap.temperature=0.02", "gap=gap/none" or "gap=none", "+new.key=1", "~key"), resolves interpolation and
/// relative paths (left to the plugin host, which knows which parameters are paths: a path is relative to the
/// file that says it). `gap` may be one map or a list of maps. A change of `plugin:` drops the keys that
/// belonged to the old plugin.
Value compose(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// While one lives, compose() of this thread reads each file once, whatever becomes of it meanwhile: for
/// whoever composes thousands of documents from the same files. [one-thread]
class ConfigsReadOnce {
 public:
  ConfigsReadOnce();
  ~ConfigsReadOnce();
  ConfigsReadOnce(const ConfigsReadOnce&) = delete;
  ConfigsReadOnce& operator=(const ConfigsReadOnce&) = delete;
};

/// The file that a config's name stands for: itself where it is there, otherwise the one of that name, with
/// or without .yaml, among the program's configs ("experiment/emoji"). Throws an Error of kind config for a
/// name of one of their groups that is not there; a file that is not there comes back as it was given.
std::filesystem::path find_config_file(const std::filesystem::path& file);

/// Whether `name` begins with a group of the program's configs: "experiment/..." is no image.
bool is_config_name(const std::string& name);

/// Where configs are looked for besides the file's own folders; set once by the program.
void set_config_directory(std::filesystem::path directory);
const std::filesystem::path& config_directory();

}  // namespace patchioner
