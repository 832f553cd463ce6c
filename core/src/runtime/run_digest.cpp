#include "runtime/run_digest.hpp"

#include <map>
#include <mutex>
#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "config/paths.hpp"
#include "runtime/plugin_sections.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

// Reading a whole large checkpoint would take longer than captioning a few images.
constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kBlocks = 64;

/// An archive lists its parts' checksums in its last block.
std::string file_digest(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const std::string_view content = file->text();
  if (content.size() <= kBlocks * kBlock) {
    return sha256(content);
  }
  std::string sample = std::to_string(content.size());
  sample.reserve(sample.size() + kBlocks * kBlock);
  for (size_t i = 0; i + 1 < kBlocks; ++i) {
    sample += content.substr((content.size() - kBlock) / (kBlocks - 1) * i, kBlock);
  }
  sample += content.substr(content.size() - kBlock);
  return sha256(sample);
}

/// What a path of the config stands for: the digest of its content, or the snapshot of a cached repository.
std::string digest_of(const std::string& path, const FileDigest& digest) {
  try {
    return path.starts_with("hf:") ? resolve_weights(path, {"."}).string() : digest(path);
  } catch (const std::exception&) {
    return "absent";  // the plugin that wants it says why
  }
}

/// Whether the value is one of a path's words that name no file ("none").
bool is_word_of(const Parameter& parameter, const Value& value) {
  return value.is_text() && std::find(parameter.choices.begin(), parameter.choices.end(), value.as_text()) !=
                                parameter.choices.end();
}

/// Whether a text of a section inside a plugin's, whose options are declared to nobody, can only mean a file,
/// there or not.
bool names_file(const std::string& text) {
  static const std::set<std::string> kEndings = {".pt",  ".pth", ".bin", ".safetensors", ".json", ".jsonl",
                                                 ".txt", ".gz",  ".pkl", ".hdf5",        ".h5",   ".npz"};
  return text.find('/') != std::string::npos &&
         kEndings.contains(std::filesystem::path(text).extension().string());
}

/// Puts digests in the place of paths, and notes which files they were.
void take_files(Value& value, const std::string& key, bool is_path, bool is_nested, const FileDigest& digest,
                std::vector<NamedFile>& files) {
  if (value.is_map()) {
    for (auto& [name, inner] : value.as_map()) {
      take_files(inner, key + "." + name, /*is_path=*/false, /*is_nested=*/true, digest, files);
    }
    return;
  }
  if (!value.is_text() || value.as_text().empty()) {
    return;
  }
  if (!is_path && !existing_path(value) && !(is_nested && names_file(value.as_text()))) {
    return;
  }
  files.push_back({key, value.as_text(), digest_of(value.as_text(), digest)});
  value = Value(files.back().digest);
}

}  // namespace

std::string content_digest(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    return file_digest(path);
  }
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      files.insert(entry.path());
    }
  }
  std::string text;
  for (const std::filesystem::path& file : files) {
    text += file.lexically_relative(path).string() + " " + file_digest(file) + "\n";
  }
  return sha256(text);
}

std::string remembered_digest(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) {
    return content_digest(path);
  }
  static std::mutex mutex;
  static std::map<std::string, std::string> digests;
  const std::string key = fmt::format("{} {} {}", path.string(), std::filesystem::file_size(path),
                                      std::filesystem::last_write_time(path).time_since_epoch().count());
  const std::lock_guard lock(mutex);
  std::string& digest = digests[key];
  if (digest.empty()) {
    digest = content_digest(path);
  }
  return digest;
}

PluginSettings plugin_settings(const PluginSection& section, PluginHost& host, const FileDigest& digest) {
  const PluginRecord plugin = host.describe(section.kind, section.options.at("plugin").as_text());
  PluginSettings settings;
  settings.kind = section.kind;
  settings.name = plugin.name;
  settings.library = plugin.file;
  Value options = section.options;
  for (auto& [key, value] : options.as_map()) {
    const auto parameter = std::find_if(plugin.parameters.begin(), plugin.parameters.end(),
                                        [&, name = key](const Parameter& one) { return one.name == name; });
    const bool is_path = parameter != plugin.parameters.end() && parameter->type == ParameterType::path &&
                         !is_word_of(*parameter, value);
    take_files(value, section.path + "." + key, is_path, /*is_nested=*/false, digest, settings.files);
  }
  settings.text = fmt::format("{} {}\n{}", plugin.name, plugin.version, write_json(options, 0));
  return settings;
}

RunSettings run_settings(const Value& config, PluginHost& host, const std::string& more) {
  std::vector<PluginSettings> plugins;
  for (const PluginSection& section : plugin_sections(config)) {
    plugins.push_back(plugin_settings(section, host));
  }
  return run_settings(std::move(plugins), read_runtime_options(config), more);
}

RunSettings run_settings(std::vector<PluginSettings> plugins, const RuntimeOptions& runtime,
                         const std::string& more) {
  RunSettings settings;
  settings.plugins = std::move(plugins);
  std::string text = more;
  for (const PluginSettings& plugin : settings.plugins) {
    text += "\n" + plugin.text;
    settings.files.insert(settings.files.end(), plugin.files.begin(), plugin.files.end());
  }
  text += "\n" + device_of(runtime).str() + " " + runtime.precision;
  constexpr size_t kDigits = 12;
  settings.digest = sha256(text).substr(0, kDigits);
  return settings;
}

}  // namespace patchioner
