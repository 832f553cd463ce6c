// Cases of the backbone `invite`: tokens with several numbers of blocks that mix none, at the checkpoint's
// size and others (spec/02 section 3).

#include "verify/case_images.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options = {{"plugin", "invite"},
                        {"weights", golden.file(json.at("weights").get<std::string>()).string()},
                        {"keep_img_ratio", true}};
  if (json.value("weights_format", std::string()).starts_with("openai")) {
    options.emplace_back("format", "openai");
  }
  for (const auto& [key, option] : {std::pair{"heads_vision", "heads"}, {"heads_text", "text_heads"}}) {
    if (json.contains(key)) {
      options.emplace_back(option, json[key].get<int64_t>());
    }
  }
  for (const char* key : {"config", "activation"}) {
    if (json.contains(key)) {
      const auto text = json[key].get<std::string>();
      options.emplace_back(key, key == std::string_view("config") ? golden.file(text).string() : text);
    }
  }
  return options;
}

/// Everything under `prefix` that is named after one number of blocks, such as "big36_k1_tokens".
void compare_pass(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                  const std::string& prefix, const at::Tensor& input) {
  std::vector<std::string> wanted;
  for (const std::string& name : backbone.intermediate_names()) {
    if (golden.has(prefix + name)) {
      wanted.push_back(name);
    }
  }
  const ImageFeatures features = backbone.encode(input, wanted);
  for (const std::string& name : wanted) {
    report.compare(prefix + name, features.intermediates.at(name));
  }
  // What the interface hands out must be the same numbers.
  if (golden.has(prefix + "tokens")) {
    const at::Tensor expected = golden.tensor(prefix + "tokens");  // [B,1+G,D]
    report.compare(prefix + "tokens", features.global, expected.select(1, 0));
    report.compare(prefix + "tokens", features.patches.flatten(1, 2), expected.slice(1, 1));
  }
}

void verify_resolution(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                       const std::string& prefix, int64_t resolution) {
  const nlohmann::json& json = golden.json();
  const Value::Map settings = resolution > 0 ? Value::Map{{"resolution", resolution}} : Value::Map{};
  const std::string input = prefix + "input";
  const auto images = json.value("images", std::vector<std::string>());
  const Backbone& plain = backbones.with(settings);
  if (golden.has(prefix + "pos_embed")) {
    const at::Tensor grid = at::tensor({plain.image_spec().rows(), plain.image_spec().columns()}, at::kLong);
    report.compare(prefix + "pos_embed", plain.probe("position_table", {{"grid", grid}}));
  }
  if (!golden.has(input)) {
    return;
  }
  report.used_as_input(input);
  if (!images.empty()) {
    report.compare(input, preprocess_images(golden, images, plain.image_spec()));
  }
  for (const int64_t blocks : json.at("k_values").get<std::vector<int64_t>>()) {
    Value::Map masked = settings;
    masked.emplace_back("mask_last_layers", blocks);
    compare_pass(golden, report, backbones.with(masked), fmt::format("{}k{}_", prefix, blocks),
                 golden.tensor(input));
  }
}

}  // namespace

void verify_invite(const GoldenCase& golden, CaseReport& report, PluginHost& host) {
  CaseBackbones backbones(host, options_of(golden));
  verify_resolution(golden, report, backbones, "", 0);
  for (const int64_t resolution : golden.json().value("big_resolutions", std::vector<int64_t>())) {
    verify_resolution(golden, report, backbones, fmt::format("big{}_", resolution), resolution);
  }
  if (golden.has("text_ids")) {
    report.used_as_input("text_ids");
    report.compare("text_embed", backbones.with().encode_token_ids(golden.tensor("text_ids")));
  }
}

}  // namespace patchioner
