// Cases of the backbone `clip`: checkpoints in the layouts of OpenAI, open_clip, Hugging Face and timm
// (spec/02 section 17). The case says what it holds; every tensor that it lists is compared.

#include <array>

#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// A tensor of a case by the last part of its name, and the intermediate that gives it.
constexpr std::array<std::pair<const char*, const char*>, 8> kStems = {{
    {"tokens_raw", "tokens_raw"},
    {"last_hidden_state", "tokens_raw"},
    {"features", "tokens_norm"},
    {"tokens", "tokens"},
    {"attn_logits", "attn_logits"},
    {"attn_probs", "attn_probs"},
    {"attn_maps_heads", "attn_maps_heads"},
    {"attn_map", "attn_map"},
}};

constexpr std::array<std::pair<const char*, const char*>, 3> kTables = {{
    {"pos_embed", "bicubic_aa"},
    {"pos_embed_bicubic_noaa", "bicubic"},
    {"pos_embed_bilinear", "bilinear"},
}};

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options =
      case_options(golden, "clip", {{"heads_vision", "heads"}, {"heads_text", "text_heads"}});
  if (json.contains("config")) {
    options.emplace_back("config", golden.file(json["config"].get<std::string>()).string());
  }
  if (json.contains("activation")) {
    options.emplace_back("activation", json["activation"].get<std::string>());
  }
  return options;
}

/// Compares what the network makes of one input; `prefix` stands before the names.
void compare_pass(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                  const Value::Map& settings, const std::string& prefix, const at::Tensor& input) {
  std::vector<std::string> wanted;
  for (const auto& [stem, intermediate] : kStems) {
    if (golden.has(prefix + stem)) {
      wanted.emplace_back(intermediate);
    }
  }
  const ImageFeatures features = backbones.with(settings).encode(input, wanted);
  for (const auto& [stem, intermediate] : kStems) {
    if (golden.has(prefix + stem)) {
      report.compare(prefix + stem, features.intermediates.at(intermediate));
    }
  }
  if (golden.has(prefix + "attn_map")) {
    report.compare(prefix + "attn_map", features.attention.flatten(1));
  }
  if (golden.has(prefix + "image_embed")) {
    report.compare(prefix + "image_embed", features.global);
  }
  if (golden.has(prefix + "tokens_no_ln_post")) {
    Value::Map without_norm = settings;
    without_norm.emplace_back("ln_post", false);
    report.compare(prefix + "tokens_no_ln_post", backbones.with(without_norm)
                                                     .encode(input, std::vector<std::string>{"tokens"})
                                                     .intermediates.at("tokens"));
  }
}

/// The position table at `rows` x `columns` in every way of resampling that the case lists.
void compare_tables(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                    const std::string& prefix, int64_t rows, int64_t columns) {
  for (const auto& [stem, rule] : kTables) {
    if (golden.has(prefix + stem)) {
      compare_position_table(golden, report, backbones.with({{"pos_resample", rule}}), prefix + stem, rows,
                             columns);
    }
  }
}

/// One resolution: preprocessing, then everything the network gives.
void verify_resolution(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                       const std::string& prefix, int64_t resolution,
                       const std::vector<std::string>& images) {
  const Value::Map settings = resolution > 0 ? Value::Map{{"resolution", resolution}} : Value::Map{};
  const Backbone& backbone = backbones.with(settings);
  if (golden.has(prefix + "input")) {
    if (!images.empty()) {
      report.compare(prefix + "input", preprocess_images(golden, images, backbone.image_spec()));
    }
    report.used_as_input(prefix + "input");
    compare_pass(golden, report, backbones, settings, prefix, golden.tensor(prefix + "input"));
  }
  compare_tables(golden, report, backbones, prefix, backbone.image_spec().rows(),
                 backbone.image_spec().columns());
}

}  // namespace

void verify_clip_model(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json& json = golden.json();
  CaseBackbones backbones(host, options_of(golden));
  const auto images = json.value("images", std::vector<std::string>());
  verify_resolution(golden, report, backbones, "", 0, images);
  for (const auto& [prefix, resolution] : case_resolutions(golden)) {
    verify_resolution(golden, report, backbones, prefix, resolution, images);
  }
  constexpr std::string_view kGrid = "_grid";
  for (const auto& [key, value] : json.items()) {
    if (key.ends_with(kGrid) && value.is_array() && value.size() == 2) {
      compare_tables(golden, report, backbones, key.substr(0, key.size() - kGrid.size() + 1),
                     value[0].get<int64_t>(), value[1].get<int64_t>());
    }
  }
  if (golden.has("input_crop")) {
    const Backbone& cropping = backbones.with({{"keep_img_ratio", true}});
    report.compare("input_crop", preprocess_images(golden, images, cropping.image_spec()));
    if (golden.has("tokens_crop")) {
      const std::vector<std::string> wanted = {"tokens"};
      report.compare("tokens_crop",
                     cropping.encode(golden.tensor("input_crop"), wanted).intermediates.at("tokens"));
    }
  }
  compare_text_ids(golden, report, backbones.with());
}

}  // namespace patchioner
