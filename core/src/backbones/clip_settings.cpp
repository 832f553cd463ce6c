#include "backbones/clip_settings.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "backbones/head_count.hpp"
#include "backbones/stored_settings.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

using nlohmann::json;

// open_clip's defaults where its configuration is silent (spec/02 section 5).
constexpr int64_t kOpenClipTextHeads = 8;
// transformers leaves sections out that equal ViT-B/32 (spec/02 section 12).
constexpr int64_t kHuggingFaceHeads = 12;
constexpr int64_t kHuggingFaceTextHeads = 8;
// The end id of transformers' first CLIP configurations, which was wrong; those models take the largest id
// instead (section 9).
constexpr int64_t kHuggingFaceLegacyEnd = 2;

template <class Number>
std::optional<std::array<Number, 3>> three_numbers(const json& section, const char* key) {
  const auto found = section.find(key);
  if (found == section.end() || !found->is_array() || found->size() != 3) {
    return std::nullopt;
  }
  return found->get<std::array<Number, 3>>();
}

ClipSettings from_hugging_face(const json& root) {
  const json vision = root.value("vision_config", json::object());
  const json text = root.value("text_config", json::object());
  ClipSettings settings;
  settings.image_heads = vision.value("num_attention_heads", kHuggingFaceHeads);
  settings.text_heads = text.value("num_attention_heads", kHuggingFaceTextHeads);
  settings.image_activation = activation_from(vision.value("hidden_act", std::string("quick_gelu")));
  settings.text_activation = activation_from(text.value("hidden_act", std::string("quick_gelu")));
  settings.image_epsilon = vision.value("layer_norm_eps", settings.image_epsilon);
  settings.text_epsilon = text.value("layer_norm_eps", settings.text_epsilon);
  if (vision.contains("image_size")) {
    settings.image_size = vision["image_size"].get<int64_t>();
  }
  if (const int64_t end = text.value("eos_token_id", kHuggingFaceLegacyEnd); end != kHuggingFaceLegacyEnd) {
    settings.end_id = end;
  }
  return settings;
}

/// A single tower's config.json holds the tower's section at the top.
ClipSettings from_hugging_face_tower(const json& root) {
  const bool text = root.value("model_type", std::string()) == "clip_text_model";
  return from_hugging_face(json{{text ? "text_config" : "vision_config", root}});
}

void refuse_open_clip(const std::filesystem::path& file, bool refused, const char* what) {
  if (refused) {
    throw Error(ErrorKind::config, "{}: the model has {}; only CLIP's plain architecture is supported here",
                file.string(), what);
  }
}

ClipSettings from_open_clip(const json& root, const std::filesystem::path& file) {
  const json model = root.contains("model_cfg") ? root["model_cfg"] : root;
  const json preprocessing = root.value("preprocess_cfg", json::object());
  const json vision = model.at("vision_cfg");
  const json text = model.value("text_cfg", json::object());
  const auto given = [](const json& section, const char* key) {
    return section.contains(key) && !section[key].is_null();
  };
  refuse_open_clip(file, given(vision, "timm_model_name"), "a timm image tower (timm_model_name)");
  refuse_open_clip(file, vision.value("attentional_pool", false), "attentional pooling");
  refuse_open_clip(file, vision.value("pool_type", std::string("tok")) != "tok",
                   "another pooling than the class token (pool_type)");
  refuse_open_clip(file, given(vision, "ls_init_value"), "scaled branches (ls_init_value)");
  refuse_open_clip(file, vision.value("no_ln_pre", false), "no norm before the blocks (no_ln_pre)");
  refuse_open_clip(file, given(text, "hf_model_name"), "a Hugging Face text tower (hf_model_name)");
  refuse_open_clip(file, vision.contains("layers") && vision["layers"].is_array(), "a ResNet image tower");
  ClipSettings settings;
  const int64_t head_width = vision.value("head_width", kUsualHeadWidth);
  if (head_width < 1) {
    throw Error(ErrorKind::config, "{}: head_width is {}, but a head is at least 1 wide", file.string(),
                head_width);
  }
  settings.image_heads = vision.at("width").get<int64_t>() / head_width;
  settings.text_heads = text.value("heads", kOpenClipTextHeads);
  settings.image_activation = model.value("quick_gelu", false) ? Activation::quick_gelu : Activation::gelu;
  settings.text_activation = settings.image_activation;
  if (vision.contains("image_size") && vision["image_size"].is_number_integer()) {
    settings.image_size = vision["image_size"].get<int64_t>();
  }
  settings.mean = three_numbers<float>(preprocessing, "mean");
  settings.std = three_numbers<float>(preprocessing, "std");
  return settings;
}

ClipSettings from_timm(const json& root) {
  const json pretrained = root.value("pretrained_cfg", json::object());
  const json arguments = root.value("model_args", json::object());
  const std::string architecture = root["architecture"].get<std::string>();
  ClipSettings settings;
  // timm's plain model of OpenAI's weights uses erf GELU although they were trained with QuickGELU (spec/02,
  // table row 14).
  const bool quick = architecture.find("quickgelu") != std::string::npos ||
                     pretrained.value("tag", std::string()).starts_with("openai");
  settings.image_activation = quick ? Activation::quick_gelu : Activation::gelu;
  if (arguments.contains("num_heads")) {
    settings.image_heads = arguments["num_heads"].get<int64_t>();
  } else if (architecture.find("_huge_") != std::string::npos ||
             architecture.find("_giant_") != std::string::npos ||
             architecture.find("_gigantic_") != std::string::npos) {
    settings.image_heads = 16;  // these heads are wider than 64
  }
  settings.mean = three_numbers<float>(pretrained, "mean");
  settings.std = three_numbers<float>(pretrained, "std");
  return settings;
}

/// What a configuration file is: the layout it belongs to, or nullopt.
std::optional<std::string> origin_of(const json& root) {
  if (!root.is_object()) {
    return std::nullopt;
  }
  if (root.contains("architecture") && root["architecture"].is_string()) {
    return "timm";
  }
  if (root.contains("model_cfg") || root.contains("vision_cfg")) {
    return "open_clip";
  }
  const auto stated = root.find("model_type");
  const std::string type = stated != root.end() && stated->is_string() ? stated->get<std::string>() : "";
  if (type == "clip_text_model" || type == "clip_vision_model") {
    return "hugging_face_tower";
  }
  if (root.contains("vision_config") || root.contains("text_config") || type == "clip") {
    return "hugging_face";
  }
  return std::nullopt;
}

json read_json(const std::filesystem::path& file) {
  try {
    return json::parse(read_file(file));
  } catch (const json::exception& error) {
    throw Error(ErrorKind::config, "{}: not a JSON document: {}", file.string(), error.what());
  }
}

/// The configuration file that lies beside the weights and belongs to their layout, or an empty path.
std::filesystem::path config_beside(const ClipCheckpoint& checkpoint) {
  const std::filesystem::path folder = checkpoint.state_dict().path().parent_path();
  for (const char* name : {"open_clip_config.json", "config.json"}) {
    const std::filesystem::path file = folder / name;
    std::error_code failure;
    if (!std::filesystem::is_regular_file(file, failure)) {
      continue;
    }
    const std::optional<std::string> origin = origin_of(read_json(file));
    const bool fits =
        origin && (checkpoint.layout() == ClipLayout::openai ? *origin == "open_clip"
                   : checkpoint.layout() == ClipLayout::timm ? *origin == "timm"
                                                             : origin->starts_with("hugging_face"));
    if (fits) {
      return file;
    }
  }
  return {};
}

/// Also of a file that lost one of the two, which the loader reports.
std::optional<int64_t> image_width(const ClipCheckpoint& checkpoint) {
  const std::optional<int64_t> width = find_size(checkpoint.shape("visual.class_embedding"), 0);
  return width ? width : find_size(checkpoint.shape("visual.conv1.weight"), 0);
}

void check_format(const ClipCheckpoint& checkpoint, const ClipChoices& choices) {
  const std::string& format = choices.format;
  const ClipLayout wanted = format == "hugging_face" ? ClipLayout::hugging_face
                            : format == "timm"       ? ClipLayout::timm
                                                     : ClipLayout::openai;
  if (format != "auto" && wanted != checkpoint.layout()) {
    throw Error(ErrorKind::config, "{}format is {}, but {} holds tensors named as {} does",
                choices.option_prefix, format, checkpoint.state_dict().description(),
                to_string(checkpoint.layout()));
  }
}

}  // namespace

Activation activation_from(const std::string& name) {
  static const std::vector<std::pair<std::string, Activation>> known = {
      {"quick_gelu", Activation::quick_gelu}, {"gelu", Activation::gelu},
      {"gelu_tanh", Activation::gelu_tanh},   {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"gelu_new", Activation::gelu_tanh},
  };
  std::vector<std::string> names;
  for (const auto& [text, activation] : known) {
    if (text == name) {
      return activation;
    }
    names.push_back(text);
  }
  throw Error(ErrorKind::config, "'{}' is no activation of a CLIP{}", name, suggestion(name, names));
}

ClipSettings read_clip_settings(const std::filesystem::path& file) {
  const json root = read_json(file);
  const std::optional<std::string> origin = origin_of(root);
  if (!origin) {
    throw Error(ErrorKind::config,
                "{}: no configuration of a CLIP: it has none of vision_config (transformers), model_cfg or "
                "vision_cfg (open_clip), "
                "architecture (timm)",
                file.string());
  }
  try {
    return *origin == "timm"                 ? from_timm(root)
           : *origin == "open_clip"          ? from_open_clip(root, file)
           : *origin == "hugging_face_tower" ? from_hugging_face_tower(root)
                                             : from_hugging_face(root);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::config, "{}: {}", file.string(), error.what());
  }
}

ClipSettings find_clip_settings(const ClipCheckpoint& checkpoint, const ClipChoices& choices) {
  check_format(checkpoint, choices);
  // A configuration that is named goes before what the file itself carries, that before one that lies beside.
  const std::optional<ClipSettings> stored =
      choices.config.empty() ? stored_clip_settings(checkpoint.state_dict()) : std::nullopt;
  ClipSettings settings = stored.value_or(ClipSettings());
  const std::filesystem::path file =
      stored || !choices.config.empty() ? choices.config : config_beside(checkpoint);
  if (!file.empty()) {
    settings = read_clip_settings(file);
  }
  const bool openai =
      choices.format == "openai" || (choices.format == "auto" && file.empty() && checkpoint.from_openai());
  if (openai) {
    settings.image_activation = settings.image_activation.value_or(Activation::quick_gelu);
    settings.text_activation = settings.text_activation.value_or(Activation::quick_gelu);
    if (!settings.image_heads) {
      settings.image_heads = usual_head_count(image_width(checkpoint));
    }
    if (!settings.text_heads) {
      settings.text_heads = usual_head_count(find_size(checkpoint.shape("ln_final.weight"), 0));
    }
  }
  // timm names the models whose heads are not 64 wide; its other configurations are silent about heads.
  if (checkpoint.layout() == ClipLayout::timm && !file.empty() && !settings.image_heads) {
    settings.image_heads = usual_head_count(image_width(checkpoint));
  }
  if (choices.activation != "auto") {
    settings.image_activation = settings.text_activation = activation_from(choices.activation);
  }
  if (choices.heads > 0) {
    settings.image_heads = choices.heads;
  }
  if (choices.text_heads > 0) {
    settings.text_heads = choices.text_heads;
  }
  return settings;
}

}  // namespace patchioner
