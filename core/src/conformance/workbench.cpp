#include "conformance/workbench.hpp"

#include <fmt/ranges.h>

#include <patchioner/log.hpp>
#include <thread>

#include "config/config.hpp"
#include "config/interpolation.hpp"
#include "config/overrides.hpp"
#include "config/sections.hpp"
#include "runtime/plugin_sections.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

constexpr const char* kWeights = "weights";  // the option that is given what a training has saved

/// What a document without a config says: the overrides alone.
Value of_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) {
    overrides.push_back(parse_override(text));
    if (overrides.back().kind == Override::Kind::choice) {
      throw Error(ErrorKind::usage, "'{}' takes a choice of configs, so a config must be named too: --config",
                  text);
    }
  }
  Value document = Value::Map();
  apply_overrides(document, overrides);
  check_sections(document);
  return interpolate(document);
}

std::vector<std::filesystem::path> all_directories(const CheckRequest& request, const Value& config) {
  std::vector<std::filesystem::path> directories = request.path;
  for (std::filesystem::path& directory : plugin_directories(config)) {
    directories.push_back(std::move(directory));
  }
  return directories;
}

/// Refuses overrides of sections that nobody reads here: what was typed would have no effect.
void check_overrides(const std::vector<std::string>& texts, const PluginRecord& plugin) {
  std::vector<std::string> read = {std::string(to_string(plugin.kind)), "plugins", "runtime"};
  if (plugin.kind == PluginKind::decoder) {
    read.emplace_back("backbone");  // whose text side the decoder is given
  }
  for (const std::string& text : texts) {
    const std::string key = parse_override(text).key;
    const std::string section = key.substr(0, key.find('.'));
    if (std::find(read.begin(), read.end(), section) == read.end()) {
      throw Error(ErrorKind::usage,
                  "'{}' changes nothing: of '{}' nothing is read, since {} '{}' is checked; "
                  "what is read is {}",
                  text, section, to_string(plugin.kind), plugin.name, fmt::join(read, ", "));
    }
  }
}

const Value* named_plugin(const Value& section) {
  const Value* name = section.find("plugin");
  return name != nullptr && name->is_text() ? name : nullptr;
}

}  // namespace

Workbench::Workbench(CheckRequest request, std::filesystem::path scratch)
    : request_(std::move(request)),
      scratch_(std::move(scratch)),
      config_(document()),
      library_(request_.file, all_directories(request_, config_)) {}

Value Workbench::document() const {
  return request_.config.empty() ? of_overrides(request_.overrides)
                                 : compose(request_.config, request_.overrides);
}

void Workbench::read_section() {
  if (!section_.is_null()) {
    return;
  }
  const PluginRecord& plugin = record();
  check_overrides(request_.overrides, plugin);
  const std::string kind(to_string(plugin.kind));
  Value section;
  std::string other;
  if (request_.config.empty()) {
    const Value* given = config_.find(kind);
    section = given == nullptr || given->is_null() ? Value(Value::Map()) : *given;
    section.set("plugin", Value(plugin.name).set_origin({"command line", 0, 0}));
  } else {
    for (const PluginSection& one : plugin_sections(config_)) {
      const Value* name = named_plugin(one.options);
      if (one.kind != plugin.kind || name == nullptr) {
        continue;
      }
      if (name->as_text() == plugin.name) {
        section = one.options;
        break;
      }
      other += fmt::format("{}'{}'", other.empty() ? "" : " and ", name->as_text());
    }
  }
  if (section.is_null()) {
    throw Error(ErrorKind::config,
                "{}: {}, but {} is the {} '{}'; name a config with its options, or leave --config out and "
                "give them as {}.OPTION=VALUE",
                request_.config,
                other.empty() ? fmt::format("it has no section '{}'", kind)
                              : fmt::format("its {} is {}", kind, other),
                request_.file.string(), kind, plugin.name, kind);
  }
  section_ = std::move(section);
  if (!request_.config.empty() || missing_options().empty()) {
    Value options = section_;
    options.erase("plugin");
    (void)validate(plugin.parameters, options, kind);
  }
  const RuntimeOptions runtime = read_runtime_options(config_);
  settings_.context = plugin_context(runtime);
  constexpr unsigned kFewest = 2;
  constexpr unsigned kMost = 4;
  settings_.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), kFewest, kMost));
  apply_threads(runtime);
  std::vector<std::filesystem::path> directories = {std::filesystem::absolute(request_.file)};
  directories.insert(directories.end(), library_.directories().begin(), library_.directories().end());
  host_ = std::make_unique<PluginHost>(std::move(directories));
}

std::vector<std::string> Workbench::missing_options() const {
  std::vector<std::string> missing;
  for (const Parameter& parameter : library_.opened().record.parameters) {
    const Value* value = section_.find(parameter.name);
    if (parameter.required && (value == nullptr || value->is_null())) {
      missing.push_back(parameter.name);
    }
  }
  return missing;
}

std::vector<std::string> Workbench::unset_files() const {
  std::vector<std::string> unset;
  for (const Parameter& parameter : library_.opened().record.parameters) {
    const Value* value = section_.find(parameter.name);
    const Value& used = value == nullptr ? parameter.default_value : *value;
    if (parameter.type == ParameterType::path &&
        (used.is_null() || (used.is_text() && used.as_text().empty()))) {
      unset.push_back(parameter.name);
    }
  }
  return unset;
}

bool Workbench::nan_where_empty() const {
  constexpr const char* kRule = "empty_region";  // of RegionOptions (region_patches.hpp)
  const Value* value = section_.find(kRule);
  for (const Parameter& parameter : library_.opened().record.parameters) {
    if (value == nullptr && parameter.name == kRule) {
      value = &parameter.default_value;
    }
  }
  return value != nullptr && value->is_text() && value->as_text() == "nan";
}

template <class Interface>
Another<Interface> Workbench::another() {
  return [this] { return made<Interface>(section_); };
}

template <class Interface>
std::shared_ptr<Interface> Workbench::made(const Value& section) {
  if constexpr (std::is_same_v<Interface, Backbone>) {
    return host_->backbone(section, settings_.context);
  } else if constexpr (std::is_same_v<Interface, Aggregator>) {
    return host_->aggregator(section, settings_.context);
  } else if constexpr (std::is_same_v<Interface, Gap>) {
    return host_->gap(section, settings_.context);
  } else {
    return host_->decoder(section, settings_.context);
  }
}

void Workbench::make() {
  if (backbone_ || aggregator_ || gap_ || decoder_) {
    return;
  }
  read_section();
  const PluginRecord& plugin = record();
  const std::string kind(to_string(plugin.kind));
  // What to type instead of OPTION; a plugin that reads no file has no reason to be refused without options.
  std::vector<std::string> options = missing_options();
  const auto advice = [&] {
    return fmt::format("name a config that has {} with --config FILE, or add {}.{}=VALUE",
                       options.size() == 1 ? "it" : "them", kind,
                       fmt::join(options, fmt::format("=VALUE {}.", kind)));
  };
  if (!options.empty()) {
    throw CheckSkipped("it cannot be made without the option{} {}; {}", options.size() == 1 ? "" : "s",
                       fmt::join(options, ", "), advice());
  }
  try {
    switch (plugin.kind) {
      case PluginKind::backbone:
        backbone_.emplace(made<Backbone>(section_), another<Backbone>(), settings_);
        break;
      case PluginKind::aggregator:
        aggregator_.emplace(made<Aggregator>(section_), another<Aggregator>(), nan_where_empty(), settings_);
        break;
      case PluginKind::gap:
        gap_.emplace(made<Gap>(section_), another<Gap>(), settings_);
        break;
      case PluginKind::decoder:
        decoder_.emplace(made<Decoder>(section_), another<Decoder>(), text_side(), reloading(), scratch_,
                         settings_);
        break;
    }
  } catch (const Error& error) {
    options = unset_files();
    const bool by_defaults = section_.as_map().size() == 1;  // `plugin` alone
    const bool of_files = error.kind() == ErrorKind::config || error.kind() == ErrorKind::io ||
                          error.kind() == ErrorKind::checkpoint;
    if (by_defaults && of_files && !options.empty()) {
      throw CheckSkipped("its defaults are not enough: {}; {}", error.what(), advice());
    }
    throw CheckFailed("{}", error.what());
  }
}

std::shared_ptr<const Backbone> Workbench::text_side() {
  const Value* section = config_.find("backbone");
  if (section == nullptr || !section->is_map()) {
    return nullptr;
  }
  try {
    return made<Backbone>(*section);
  } catch (const Error& error) {
    log(LogLevel::warning, "texts are encoded by a stand-in: {}", error.what());
    return nullptr;
  }
}

DecoderSubject::Reload Workbench::reloading() {
  const auto& parameters = record().parameters;
  const bool takes_weights =
      std::any_of(parameters.begin(), parameters.end(), [](const Parameter& parameter) {
        return parameter.name == kWeights && parameter.type == ParameterType::path;
      });
  if (!takes_weights) {
    return {};
  }
  return [this](const std::filesystem::path& weights) -> std::shared_ptr<const Decoder> {
    Value section = section_;
    const bool had_weights = section.find(kWeights) != nullptr;
    section.set(kWeights, Value(weights.string()));
    try {
      return made<Decoder>(section);
    } catch (const Error& error) {
      if (!had_weights && error.kind() == ErrorKind::config) {
        throw CheckSkipped("its options, made for a decoder without weights, do not go with 'weights': {}",
                           error.what());
      }
      throw;
    }
  };
}

BackboneSubject& Workbench::backbone() {
  make();
  return *backbone_;
}

AggregatorSubject& Workbench::aggregator() {
  make();
  return *aggregator_;
}

GapSubject& Workbench::gap() {
  make();
  return *gap_;
}

DecoderSubject& Workbench::decoder() {
  make();
  return *decoder_;
}

void Workbench::drop() {
  backbone_.reset();
  aggregator_.reset();
  gap_.reset();
  decoder_.reset();
}

}  // namespace patchioner
