#include "projection.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "config/config.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr int64_t kMostHiddenLayers = 64;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

/// The file's names in today's spelling, without what serves only training (spec/03 section 4.2).
StateDict projection_tensors(const StateDict& file) {
  return file.renamed([](const std::string& name) -> std::string {
    if (name == "attn_weights" || name.starts_with("weight_layer1.") || name.starts_with("weight_layer2.")) {
      return "";
    }
    constexpr std::string_view kLegacy = "linear_layer2.";
    return name.starts_with(kLegacy) ? "hidden_layers.0." + name.substr(kLegacy.size()) : name;
  });
}

int64_t hidden_layers_in(const StateDict& weights) {
  int64_t count = 0;
  while (weights.contains("hidden_layers." + std::to_string(count) + ".weight")) {
    ++count;
  }
  return count;
}

Activation activation_of(const Value& value) {
  static const std::vector<std::pair<std::string, Activation>> known = {{"none", Activation::none},
                                                                        {"tanh", Activation::tanh},
                                                                        {"relu", Activation::relu},
                                                                        {"sigmoid", Activation::sigmoid}};
  if (value.is_null()) {
    return Activation::none;
  }
  std::vector<std::string> names;
  for (const auto& [name, activation] : known) {
    if (lower(value.as_text()) == name) {
      return activation;
    }
    names.push_back(name);
  }
  throw Error(ErrorKind::config, "{}: '{}' is no activation of a projection{}", value.origin().to_string(),
              value.as_text(), suggestion(value.as_text(), names));
}

/// false, true (Python's spelling too, since these files were written for it) or a number.
int64_t hidden_layers_of(const Value& value) {
  if (value.is_null()) {
    return 0;
  }
  if (value.is_text() && (lower(value.as_text()) == "true" || lower(value.as_text()) == "false")) {
    return lower(value.as_text()) == "true" ? 1 : 0;
  }
  if (value.type() == Value::Type::boolean) {
    return value.as_boolean() ? 1 : 0;
  }
  const int64_t count = value.as_integer();
  if (count < 0 || count > kMostHiddenLayers) {
    throw Error(ErrorKind::config, "{}: hidden_layer is {}; expected false, true or a number up to {}",
                value.origin().to_string(), count, kMostHiddenLayers);
  }
  return count;
}

bool is_auto(const Value& value) {
  return value.is_text() && value.as_text() == "auto";
}

/// The `model` section of the projection's YAML, or nullopt when there is no such file.
std::optional<Value> projection_yaml(const Talk2DinoOptions& options) {
  std::filesystem::path file = options.projection_config;
  if (file.empty()) {
    file = std::filesystem::path(options.projection_weights).replace_extension(".yaml");
    std::error_code failure;
    if (!std::filesystem::is_regular_file(file, failure)) {
      return std::nullopt;
    }
  }
  const Value document = read_yaml(file);
  const Value* model = document.find("model");
  return model == nullptr ? document : *model;
}

/// What is said about `key`: by option, else by the YAML (null when it is silent), else nothing.
std::optional<Value> said(const Value& option, const std::optional<Value>& yaml, const char* key) {
  if (!is_auto(option)) {
    return option;
  }
  if (!yaml) {
    return std::nullopt;
  }
  const Value* value = yaml->find(key);
  return value == nullptr ? Value() : *value;
}

std::string_view name_of(Activation activation) {
  return activation == Activation::tanh      ? "tanh"
         : activation == Activation::relu    ? "relu"
         : activation == Activation::sigmoid ? "sigmoid"
                                             : "none";
}

}  // namespace

LoadedProjection load_projection(const Talk2DinoOptions& options, const PluginContext& context) {
  const StateDict file = StateDict::open(options.projection_weights);
  const StateDict weights = projection_tensors(file);
  const TensorInfo* linear = weights.info("linear_layer.weight");
  if (linear == nullptr || linear->shape.size() != 2) {
    refuse_checkpoint(
        file, "`projection_weights` must be a Talk2DINO projection, with a matrix linear_layer.weight");
  }
  const std::optional<Value> yaml = projection_yaml(options);
  const std::optional<Value> hidden = said(options.hidden_layer, yaml, "hidden_layer");
  const std::optional<Value> act = said(options.act, yaml, "act");
  const int64_t in_file = hidden_layers_in(weights);
  TextProjectionConfig config;
  config.in = linear->shape[1];
  config.out = linear->shape[0];
  config.hidden_layers = hidden ? hidden_layers_of(*hidden) : in_file;
  if (config.hidden_layers < in_file) {
    throw Error(
        ErrorKind::config,
        "{} holds {} hidden layers, but the settings say {}; leaving them out would give wrong vectors",
        file.path().string(), in_file, config.hidden_layers);
  }
  if (config.hidden_layers > 0 && !act) {
    throw Error(ErrorKind::config,
                "{} has hidden layers, and nothing says which activation stands before them; set `act` (the "
                "published files: tanh) or give "
                "`projection_config`",
                file.path().string());
  }
  config.activation = act ? activation_of(*act) : Activation::none;
  TensorLoader loader(weights, "a Talk2DINO projection");
  LoadedProjection loaded;
  loaded.projection = std::make_shared<TextProjection>(config, weights_from(loader, context.device));
  loader.finish();
  loaded.fingerprint = fmt::format("projection:{},act={},hidden_layers={}", file.digest(),
                                   name_of(config.activation), config.hidden_layers);
  return loaded;
}

}  // namespace patchioner
