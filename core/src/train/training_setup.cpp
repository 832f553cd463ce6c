#include "train/training_setup.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "config/paths.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"

namespace patchioner {

namespace {

/// A digest of what lies at a path of the config: of a file its content, of a folder its files' names and
/// contents.
std::string digest_at(const std::string& path) {
  const std::filesystem::path place =
      path.starts_with("hf:") ? resolve_weights(path) : std::filesystem::path(path);
  if (!std::filesystem::is_directory(place)) {
    return sha256_of_file(place);
  }
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(place)) {
    if (entry.is_regular_file()) {
      files[entry.path().filename().string()] = sha256_of_file(entry.path());
    }
  }
  return sha256(nlohmann::json(files).dump());
}

/// What only captioning reads of a decoder: a training goes on whatever they say.
constexpr std::array<std::string_view, 6> kOnlyForCaptions = {
    "search",           "entities", "score", "clean_up_tokenization_spaces", "reference_batch_padding",
    "retrieval_feature"};

bool changes_training(PluginKind kind, const std::string& option) {
  return kind != PluginKind::decoder ||
         std::find(kOnlyForCaptions.begin(), kOnlyForCaptions.end(), option) == kOnlyForCaptions.end();
}

/// The options of a section inside the plugin's one by one, since only the plugin knows what they are.
void note_section(const std::string& name, const Value& section, TrainingSettings& settings) {
  for (const auto& [key, value] : section.as_map()) {
    const std::string own = name + "." + key;
    if (value.type() == Value::Type::map) {
      note_section(own, value, settings);
    } else if (const auto path = existing_path(value)) {
      settings[own + std::string(kDigestEnding)] = digest_at(*path);
    } else {
      settings[own] = write_json(value, 0);
    }
  }
}

/// The plugin's settings as text, defaults filled in. What a file holds is told by its digest, not by where
/// it lies.
void note_settings(PluginHost& host, PluginKind kind, const std::string& key, const Value& section,
                   TrainingSettings& settings) {
  const Value resolved = host.resolve(kind, section);
  const PluginRecord record = host.describe(kind, resolved.at("plugin").as_text());
  settings[key + ".plugin"] = record.name;
  for (const Parameter& parameter : record.parameters) {
    const Value* value = resolved.find(parameter.name);
    const std::string name = key + "." + parameter.name;
    if (value == nullptr || !changes_training(kind, parameter.name)) {
      continue;
    }
    if (value->type() == Value::Type::map) {
      note_section(name, *value, settings);
    } else if (parameter.type != ParameterType::path) {
      settings[name] = write_json(*value, 0);
    } else if (value->is_text() && !value->as_text().empty()) {
      settings[name + std::string(kDigestEnding)] = digest_at(value->as_text());
    }
  }
}

}  // namespace

TrainingSetup make_training(const Value& config, PluginHost& host) {
  TrainingSetup setup;
  setup.options = read_train_options(config);
  const RuntimeOptions runtime = read_runtime_options(config);
  const PluginContext context = plugin_context(runtime);
  at::manual_seed(static_cast<uint64_t>(setup.options.seed));
  TrainingSettings& settings = setup.parts.settings;
  setup.decoder = host.decoder(config.at("decoder"), context);
  note_settings(host, PluginKind::decoder, "decoder", config.at("decoder"), settings);
  if (const Value* gap = config.find("gap"); gap != nullptr && !gap->is_null()) {
    const Value::List sections = gap->type() == Value::Type::list ? gap->as_list() : Value::List{*gap};
    for (size_t i = 0; i < sections.size(); ++i) {
      setup.gaps.push_back(host.gap(sections[i], context));
      note_settings(host, PluginKind::gap, fmt::format("gap.{}", i), sections[i], settings);
    }
  }
  setup.backbone = host.backbone(config.at("backbone"), context);
  note_settings(host, PluginKind::backbone, "backbone", config.at("backbone"), settings);
  setup.parts.backbone = setup.backbone.get();
  setup.parts.gaps = setup.gaps;
  setup.parts.decoder = setup.decoder.get();
  setup.parts.precision = context.precision;
  // As it stands wherever it is read later: with every default, and no path that depends on a folder.
  Value complete = complete_config(config, host);
  complete.set("train", complete_train_section(config));
  setup.parts.config = write_yaml(complete);
  return setup;
}

}  // namespace patchioner
