// What makes the captions of two runs the same: options, plugins with their options, and the weights.
#include <patchioner/error.hpp>

#include "caption.hpp"
#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"

namespace patchioner::caption {
namespace {

constexpr const char* kVersion = "1";  // of what a record means; another one cannot be resumed

// Reading a whole large checkpoint would take longer than captioning a few images.
constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kBlocks = 64;

/// The same for files of the same content, wherever they lie: of a file of more than 64 MiB its size and 64
/// blocks of it, the first and the last among them (an archive lists its parts' checksums there).
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

/// What a path of the config stands for: the digest of its content, or the snapshot of a cached repository.
std::string weights_digest(const std::string& path) {
  try {
    return path.starts_with("hf:") ? resolve_weights(path, {"."}).string() : content_digest(path);
  } catch (const std::exception&) {
    return "absent";  // the plugin that wants it says why
  }
}

}  // namespace

std::vector<PluginSection> plugin_sections(const Value& config) {
  std::vector<PluginSection> sections;
  for (const PluginKind kind :
       {PluginKind::backbone, PluginKind::aggregator, PluginKind::gap, PluginKind::decoder}) {
    const Value* section = config.find(to_string(kind));
    if (section == nullptr || section->is_null()) {
      continue;
    }
    if (kind == PluginKind::gap && section->is_list()) {
      for (const Value& one : section->as_list()) {
        sections.push_back({kind, one});
      }
    } else {
      sections.push_back({kind, *section});
    }
  }
  return sections;
}

std::string settings_digest(const Arguments& arguments, const Value& config, PluginHost& host) {
  std::string text = fmt::format("{} exif={} explain={} memory_texts={}", kVersion, arguments.exif,
                                 arguments.explain, arguments.explain ? arguments.memory_texts : 0);
  for (const auto& [kind, options] : plugin_sections(config)) {
    text += "\n" + write_json(options, 0);
    for (const Parameter& parameter : host.describe(kind, options.at("plugin").as_text()).parameters) {
      const Value* value = options.find(parameter.name);
      if (parameter.type == ParameterType::path && value != nullptr && value->is_text() &&
          !value->as_text().empty()) {
        text += "\n" + parameter.name + " " + weights_digest(value->as_text());
      }
    }
  }
  const RuntimeOptions runtime = read_runtime_options(config);
  text += "\n" + runtime.device + " " + runtime.precision;
  return sha256(text).substr(0, 12);
}

}  // namespace patchioner::caption
