#include "backbones/stored_settings.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

/// The object that is stored, or null.
Json stored(const StateDict& checkpoint) {
  const auto found = checkpoint.metadata().find(kSettingsKey);
  if (found == checkpoint.metadata().end()) {
    return {};
  }
  // What nests deeper is not ours.
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= 4; };
  Json json = Json::parse(found->second, shallow, false);
  if (!json.is_object()) {
    throw Error(ErrorKind::checkpoint,
                "{}: its metadata '{}' is no JSON object; convert the checkpoint again",
                checkpoint.path().string(), kSettingsKey);
  }
  return json;
}

template <class Result, class Read>
std::optional<Result> read_stored(const StateDict& checkpoint, Read&& read) {
  const Json json = stored(checkpoint);
  if (json.is_null()) {
    return std::nullopt;
  }
  try {
    return read(json);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::checkpoint,
                "{}: its metadata '{}' cannot be used: {}; convert the checkpoint again",
                checkpoint.path().string(), kSettingsKey, error.what());
  }
}

template <class Value>
void read_field(const Json& json, const char* name, std::optional<Value>& value) {
  if (const auto found = json.find(name); found != json.end()) {
    value = found->get<Value>();
  }
}

void read_activation(const Json& json, const char* name, std::optional<Activation>& value) {
  if (const auto found = json.find(name); found != json.end()) {
    value = activation_from(found->get<std::string>());
  }
}

template <class Value>
void write_field(Json& json, const char* name, const std::optional<Value>& value) {
  if (value) {
    json[name] = *value;
  }
}

}  // namespace

std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::quick_gelu:
      return "quick_gelu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
    default:
      throw Error(ErrorKind::internal, "activation number {} is none of a CLIP",
                  static_cast<int>(activation));
  }
}

std::optional<ClipSettings> stored_clip_settings(const StateDict& checkpoint) {
  return read_stored<ClipSettings>(checkpoint, [](const Json& json) {
    ClipSettings settings;
    read_field(json, "image_heads", settings.image_heads);
    read_field(json, "text_heads", settings.text_heads);
    read_activation(json, "image_activation", settings.image_activation);
    read_activation(json, "text_activation", settings.text_activation);
    settings.image_epsilon = json.value("image_epsilon", settings.image_epsilon);
    settings.text_epsilon = json.value("text_epsilon", settings.text_epsilon);
    read_field(json, "image_size", settings.image_size);
    read_field(json, "end_id", settings.end_id);
    read_field(json, "mean", settings.mean);
    read_field(json, "std", settings.std);
    return settings;
  });
}

std::optional<int64_t> stored_heads(const StateDict& checkpoint) {
  std::optional<int64_t> heads;
  read_stored<bool>(checkpoint, [&heads](const Json& json) {
    read_field(json, "heads", heads);
    return true;
  });
  return heads;
}

std::string settings_text(const ClipSettings& settings) {
  Json json = Json::object();
  write_field(json, "image_heads", settings.image_heads);
  write_field(json, "text_heads", settings.text_heads);
  if (settings.image_activation) {
    json["image_activation"] = activation_name(*settings.image_activation);
  }
  if (settings.text_activation) {
    json["text_activation"] = activation_name(*settings.text_activation);
  }
  json["image_epsilon"] = settings.image_epsilon;
  json["text_epsilon"] = settings.text_epsilon;
  write_field(json, "image_size", settings.image_size);
  write_field(json, "end_id", settings.end_id);
  write_field(json, "mean", settings.mean);
  write_field(json, "std", settings.std);
  return json.dump();
}

std::string settings_text(int64_t heads) {
  return Json{{"heads", heads}}.dump();
}

}  // namespace patchioner
