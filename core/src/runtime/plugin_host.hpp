// Finds, checks and opens plugins.
#pragma once

#include <filesystem>
#include <memory>
#include <patchioner/plugin.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// One file that was looked at.
struct PluginRecord {
  std::filesystem::path file;
  PluginKind kind = PluginKind::backbone;
  std::string name;
  std::string version;
  std::string summary;
  ParameterSchema parameters;
  std::vector<PluginNote> notes;
  std::string refusal;  ///< empty for a usable plugin; otherwise the sentence that says why it was refused

  bool usable() const { return refusal.empty(); }
};

/// The plugins of a process. Libraries that were opened stay open until the process ends. [one-thread]
class PluginHost {
 public:
  /// Search order: `directories` (from the config), PATCHIONER_PLUGIN_PATH (colon separated), `plugins/`
  /// beside the program, or lib/patchioner/plugins where it is installed. Of two plugins of one kind and name
  /// the first found wins, and a log line says so. Directories are searched two levels deep for *.so files.
  explicit PluginHost(std::vector<std::filesystem::path> directories = {});
  ~PluginHost();

  /// Every file that was found, once, usable or refused, with the reason. Opens all of them.
  std::vector<PluginRecord> list();

  /// The record of one plugin. Opens only files that are called `name`.so, and libraries that the config
  /// names one by one. Throws an Error of kind plugin that names where was looked, what was refused and the
  /// nearest name.
  PluginRecord describe(PluginKind kind, const std::string& name);

  /// Makes the plugin that `section` names under "plugin", with the other keys as its options (validated,
  /// defaults filled in). Throws Error: config for options, plugin when the library is refused, whatever the
  /// plugin's constructor throws, with context.
  std::shared_ptr<Backbone> backbone(const Value& section, const PluginContext& context);
  std::shared_ptr<Aggregator> aggregator(const Value& section, const PluginContext& context);
  std::shared_ptr<Gap> gap(const Value& section, const PluginContext& context);
  std::shared_ptr<Decoder> decoder(const Value& section, const PluginContext& context);

  /// The plugins that were made since the last call, each once, as "kind/name" in alphabetical order.
  std::vector<std::string> take_made();

  /// The options of `section` completed with the plugin's defaults ("plugin" first), without making it.
  Value resolve(PluginKind kind, const Value& section);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads the descriptor of one library file and checks it: magic, SDK version, fingerprint, name, schema. The
/// record's refusal says what is wrong ("built with SDK 2, this program has SDK 1 ..."). Unresolved
/// dependencies are named.
PluginRecord inspect_plugin(const std::filesystem::path& file);

}  // namespace patchioner
