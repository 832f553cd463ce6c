// Cases of the backbone `regionclip`: a detectron2 checkpoint, the maps of its ResNet, the attention pool
// with and without its attention for patches, resampled positions, texts (spec/02 section 7).

#include "verify/case_images.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kNoPool = "_no_attnpool";

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options = {{"plugin", "regionclip"},
                        {"weights", golden.file(json.at("weights").get<std::string>()).string()}};
  for (const auto& [key, option] : {std::pair{"heads_attnpool", "heads"}, {"heads_text", "text_heads"}}) {
    if (json.contains(key)) {
      options.emplace_back(option, json[key].get<int64_t>());
    }
  }
  return options;
}

/// What one backbone makes of an input; `prefix` stands before the names and `ending` behind them.
void compare_pass(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                  const std::string& prefix, std::string_view ending, const at::Tensor& input) {
  const auto full_name = [&](const std::string& name) { return prefix + name + std::string(ending); };
  std::vector<std::string> wanted;
  for (const std::string& name : backbone.intermediate_names()) {
    if (golden.has(full_name(name))) {
      wanted.push_back(name);
    }
  }
  const ImageFeatures features = backbone.encode(input, wanted);
  for (const std::string& name : wanted) {
    report.compare(full_name(name), features.intermediates.at(name));
  }
  const std::vector<std::pair<std::string, at::Tensor>> delivered = {
      {"patch_tokens", features.patches.flatten(1, 2)},  // [B,G,D]
      {"cls_token", features.global},                    // [B,D]
      {"attn_map", features.attention.flatten(1)},       // [B,G]
  };
  for (const auto& [name, ours] : delivered) {
    if (golden.has(full_name(name))) {
      report.compare(full_name(name), ours);
    }
  }
}

/// One resolution: preprocessing, then everything the network gives.
void verify_resolution(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                       const std::string& prefix, int64_t resolution,
                       const std::vector<std::string>& images) {
  const Value::Map settings = resolution > 0 ? Value::Map{{"resolution", resolution}} : Value::Map{};
  const Backbone& backbone = backbones.with(settings);
  const ImageSpec& spec = backbone.image_spec();
  if (golden.has(prefix + "pos_embed")) {
    report.compare(prefix + "pos_embed",
                   backbone.probe("position_table", {{"grid", at::tensor({spec.rows(), spec.columns()})}}));
  }
  if (!golden.has(prefix + "input")) {
    return;
  }
  if (!images.empty()) {
    report.compare(prefix + "input", preprocess_images(golden, images, spec));
  }
  report.used_as_input(prefix + "input");
  const at::Tensor input = golden.tensor(prefix + "input");
  compare_pass(golden, report, backbone, prefix, "", input);
  Value::Map without_pool = settings;
  without_pool.emplace_back("use_attnpool_for_spatial_feats", false);
  compare_pass(golden, report, backbones.with(without_pool), prefix, kNoPool, input);
}

}  // namespace

void verify_regionclip(const GoldenCase& golden, CaseReport& report, PluginHost& host) {
  const nlohmann::json& json = golden.json();
  CaseBackbones backbones(host, options_of(golden));
  const auto images = json.value("images", std::vector<std::string>());
  verify_resolution(golden, report, backbones, "", 0, images);
  constexpr std::string_view kResolution = "_resolution";
  for (const auto& [key, value] : json.items()) {
    if (key.ends_with(kResolution) && value.is_number_integer()) {
      verify_resolution(golden, report, backbones, key.substr(0, key.size() - kResolution.size() + 1),
                        value.get<int64_t>(), images);
    }
  }
  if (json.contains("grid") && json["grid"].is_number_integer()) {
    report.compare_number("grid", static_cast<double>(backbones.with().image_spec().rows()),
                          json["grid"].get<double>(), "integers");
  }
  if (golden.has("text_ids")) {
    report.used_as_input("text_ids");
    report.compare("text_embed", backbones.with().encode_token_ids(golden.tensor("text_ids")));
  }
}

}  // namespace patchioner
