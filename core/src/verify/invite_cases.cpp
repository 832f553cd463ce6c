// Cases of the backbone `invite`: tokens with several numbers of blocks that mix none, at the checkpoint's
// size and others (spec/02 section 3).

#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options =
      case_options(golden, "invite", {{"heads_vision", "heads"}, {"heads_text", "text_heads"}});
  options.emplace_back("keep_img_ratio", true);
  if (json.value("weights_format", std::string()).starts_with("openai")) {
    options.emplace_back("format", "openai");
  }
  for (const char* key : {"config", "activation"}) {
    if (json.contains(key)) {
      const auto text = json[key].get<std::string>();
      options.emplace_back(key, key == std::string_view("config") ? golden.file(text).string() : text);
    }
  }
  return options;
}

void verify_resolution(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                       const std::string& prefix, int64_t resolution) {
  const nlohmann::json& json = golden.json();
  const Value::Map settings = resolution > 0 ? Value::Map{{"resolution", resolution}} : Value::Map{};
  const std::string input = prefix + "input";
  const auto images = json.value("images", std::vector<std::string>());
  const Backbone& plain = backbones.with(settings);
  compare_position_table(golden, report, plain, prefix + "pos_embed", plain.image_spec().rows(),
                         plain.image_spec().columns());
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
    // Named after the number of blocks, such as "big36_k1_tokens".
    const auto full_name = [&](const std::string& name) {
      return fmt::format("{}k{}_{}", prefix, blocks, name);
    };
    const ImageFeatures features =
        compare_intermediates(golden, report, backbones.with(masked), full_name, golden.tensor(input));
    compare_tokens(golden, report, full_name("tokens"), features);
  }
}

}  // namespace

void verify_invite(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  CaseBackbones backbones(host, options_of(golden));
  verify_resolution(golden, report, backbones, "", 0);
  for (const int64_t resolution : golden.json().value("big_resolutions", std::vector<int64_t>())) {
    verify_resolution(golden, report, backbones, fmt::format("big{}_", resolution), resolution);
  }
  compare_text_ids(golden, report, backbones.with());
}

}  // namespace patchioner
