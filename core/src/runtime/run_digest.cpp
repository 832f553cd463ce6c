#include "runtime/run_digest.hpp"

#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
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
std::string digest_of(const std::string& path) {
  try {
    return path.starts_with("hf:") ? resolve_weights(path, {"."}).string() : content_digest(path);
  } catch (const std::exception&) {
    return "absent";  // the plugin that wants it says why
  }
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

std::vector<NamedFile> named_files(const Value& config, PluginHost& host) {
  std::vector<NamedFile> files;
  for (const PluginSection& section : plugin_sections(config)) {
    const std::string plugin = section.options.at("plugin").as_text();
    for (const Parameter& parameter : host.describe(section.kind, plugin).parameters) {
      const Value* value = section.options.find(parameter.name);
      if (parameter.type == ParameterType::path && value != nullptr && value->is_text() &&
          !value->as_text().empty()) {
        const std::string& path = value->as_text();
        files.push_back({section.path + "." + parameter.name, path, digest_of(path)});
      }
    }
  }
  return files;
}

std::string settings_digest(const Value& config, const std::vector<NamedFile>& files,
                            const std::string& more) {
  std::string text = more;
  for (const PluginSection& section : plugin_sections(config)) {
    text += "\n" + write_json(section.options, 0);
  }
  for (const NamedFile& file : files) {
    text += "\n" + file.key + " " + file.digest;
  }
  const RuntimeOptions runtime = read_runtime_options(config);
  text += "\n" + runtime.device + " " + runtime.precision;
  constexpr size_t kDigits = 12;
  return sha256(text).substr(0, kDigits);
}

}  // namespace patchioner
