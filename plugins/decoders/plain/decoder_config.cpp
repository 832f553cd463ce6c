#include "decoder_config.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "checkpoint/pickle_values.hpp"
#include "support/files.hpp"

namespace patchioner {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSharedConfigFile = "decoder_config.json";
constexpr const char* kFingerprintField = "text_fingerprint";  // ours, beside GPT-2's fields

Json read_fields(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{') {
    return Json(read_pickle_plain_values(file));
  }
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    throw Error(ErrorKind::data, "{}: begins like JSON, but is damaged", file.string());
  }
  return json;
}

/// Refuses a field whose value changes the network in a way that is not built here.
void require(const Json& json, const char* field, const std::vector<Json>& allowed, const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null() ||
      std::find(allowed.begin(), allowed.end(), *found) != allowed.end()) {
    return;
  }
  throw Error(ErrorKind::config, "{}: {} is {}, but this decoder computes with {} only", file, field,
              found->dump(), allowed.front().dump());
}

}  // namespace

void read_decoder_config(const std::filesystem::path& file, Gpt2Config& config,
                         std::string& text_fingerprint) {
  const Json json = read_fields(file);
  require(json, "activation_function", {"gelu_new", "gelu_pytorch_tanh"}, file.string());
  require(json, "scale_attn_weights", {true}, file.string());
  require(json, "scale_attn_by_inverse_layer_idx", {false}, file.string());
  require(json, "tie_word_embeddings", {true}, file.string());
  const auto integer = [&](const char* name, int64_t& value) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) {
      return;
    }
    if (!found->is_number_integer() || found->get<int64_t>() < 1) {
      throw Error(ErrorKind::config, "{}: {} is {}, but must be an integer of at least 1", file.string(),
                  name, found->dump());
    }
    value = found->get<int64_t>();
  };
  const auto number = [&](const char* name, double& value, double maximum) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) {
      return;
    }
    if (!found->is_number() || found->get<double>() < 0 || found->get<double>() > maximum) {
      throw Error(ErrorKind::config, "{}: {} is {}, but must be a number from 0 to {}", file.string(), name,
                  found->dump(), maximum);
    }
    value = found->get<double>();
  };
  integer("vocab_size", config.vocab_size);
  integer("n_positions", config.n_positions);
  integer("n_embd", config.n_embd);
  integer("n_layer", config.n_layer);
  integer("n_head", config.n_head);
  integer("n_inner", config.n_inner);
  number("layer_norm_epsilon", config.layer_norm_epsilon, 1);
  number("initializer_range", config.initializer_range, 10);
  number("resid_pdrop", config.resid_pdrop, 0.99);
  number("embd_pdrop", config.embd_pdrop, 0.99);
  number("attn_pdrop", config.attn_pdrop, 0.99);
  if (const auto found = json.find(kFingerprintField); found != json.end() && found->is_string()) {
    text_fingerprint = found->get<std::string>();
  }
}

std::filesystem::path decoder_config_of(const std::filesystem::path& weights) {
  return weights.parent_path() / (weights.stem().string() + "_config.json");
}

std::filesystem::path find_decoder_config(const std::filesystem::path& weights) {
  for (const auto& file : {decoder_config_of(weights), weights.parent_path() / kSharedConfigFile}) {
    if (std::filesystem::exists(file)) {
      return file;
    }
  }
  return {};
}

std::string decoder_config_json(const Gpt2Config& config, const std::string& text_fingerprint) {
  Json json;
  json["vocab_size"] = config.vocab_size;
  json["n_positions"] = config.n_positions;
  json["n_embd"] = config.n_embd;
  json["n_layer"] = config.n_layer;
  json["n_head"] = config.n_head;
  json["n_inner"] = config.inner() == 4 * config.n_embd ? Json() : Json(config.inner());
  json["activation_function"] = "gelu_new";
  json["resid_pdrop"] = config.resid_pdrop;
  json["embd_pdrop"] = config.embd_pdrop;
  json["attn_pdrop"] = config.attn_pdrop;
  json["layer_norm_epsilon"] = config.layer_norm_epsilon;
  json["initializer_range"] = config.initializer_range;
  json["scale_attn_weights"] = true;
  json["scale_attn_by_inverse_layer_idx"] = false;
  json["tie_word_embeddings"] = true;
  if (!text_fingerprint.empty()) {
    json[kFingerprintField] = text_fingerprint;
  }
  return json.dump(1) + "\n";
}

}  // namespace patchioner
