#include "config/reference_keys.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

const Value* ReferenceKeys::find(const std::string& key) {
  used_.insert(key);
  const Value* value = map_.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool ReferenceKeys::boolean(const std::string& key, bool otherwise) {
  const Value* value = find(key);
  if (value == nullptr) {
    return otherwise;
  }
  const auto known = as_boolean(*value);
  if (!known) {
    wrong_type(key, *value, "true or false");
  }
  return *known;
}

std::string ReferenceKeys::text(const std::string& key, const std::string& otherwise) {
  const Value* value = find(key);
  if (value == nullptr) {
    return otherwise;
  }
  if (!value->is_text()) {
    wrong_type(key, *value, "text");
  }
  return value->as_text();
}

std::optional<int64_t> ReferenceKeys::integer(const std::string& key) {
  const Value* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->type() != Value::Type::integer) {
    wrong_type(key, *value, "an integer");
  }
  return value->as_integer();
}

std::optional<double> ReferenceKeys::number(const std::string& key) {
  const Value* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->type() != Value::Type::integer && value->type() != Value::Type::number) {
    wrong_type(key, *value, "a number");
  }
  return value->as_number();
}

ReferenceKeys ReferenceKeys::map(const std::string& key) {
  static const Value kNothing = Value::Map();
  const Value* value = find(key);
  if (value != nullptr && !value->is_map()) {
    wrong_type(key, *value, "a map");
  }
  return {value == nullptr ? kNothing : *value, where_ + key + "."};
}

std::vector<std::string> ReferenceKeys::unused() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map_.as_map()) {
    if (!used_.contains(key)) {
      keys.push_back(key);
    }
  }
  return keys;
}

std::optional<bool> ReferenceKeys::as_boolean(const Value& value) {
  static const std::set<std::string> kYes = {"True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
  static const std::set<std::string> kNo = {"False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
  if (value.type() == Value::Type::boolean) {
    return value.as_boolean();
  }
  if (value.is_text() && kYes.contains(value.as_text())) {
    return true;
  }
  if (value.is_text() && kNo.contains(value.as_text())) {
    return false;
  }
  return std::nullopt;
}

void ReferenceKeys::wrong_type(const std::string& key, const Value& value, std::string_view wanted) const {
  throw Error(ErrorKind::config, "{}: '{}{}' must be {}, found {}", value.origin().to_string(), where_, key,
              wanted, to_string(value.type()));
}

const std::vector<std::string>& known_reference_keys() {
  static const std::vector<std::string> kKeys = {
      // of model files
      "decap_weights", "prefix_size", "support_memory_size", "projection_type", "use_talk2dino_project",
      "linear_talk2dino", "talk2dino_attn_type", "dino_model", "clip_model_name", "resize_dim", "crop_dim",
      "normalize", "attention_type", "kkv_attention", "calculate_argmax_text", "talk2dino_config",
      "talk2dino_weights", "proxyclip_clipmodel", "proxyclip_vfm", "use_open_clip", "invite_config",
      "denseclip_config", "alphaclip_config", "regionclip_config", "viecap", "clipcap", "hf_repo_id",
      "online_texts",
      // of evaluations
      "use_gaussian_weighting", "gaussian_variance", "keep_img_ratio", "caption_from",
      "use_attn_map_for_bboxes", "use_attention_weighting", "caption_bboxes_type", "batch_size", "limit",
      "compute_scores"};
  return kKeys;
}

}  // namespace patchioner
