// Cases of the backbone `denseclip`: a segmentation checkpoint with the reference's YAML, tokens with the
// class embedding added once and twice, inputs that are not square, texts as they come and of unit length
// (spec/02 section 4).

#include "verify/case_images.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kOriginal = "_original";

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options = {{"plugin", "denseclip"},
                        {"weights", golden.file(json.at("weights").get<std::string>()).string()}};
  if (json.contains("config")) {
    options.emplace_back("config", golden.file(json["config"].get<std::string>()).string());
  }
  for (const auto& [key, option] : {std::pair{"heads_vision", "heads"}, {"heads_text", "text_heads"}}) {
    if (json.contains(key)) {
      options.emplace_back(option, json[key].get<int64_t>());
    }
  }
  return options;
}

/// What one backbone makes of an input: the results named `prefix` + intermediate + `ending`.
void compare_pass(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                  const std::string& prefix, std::string_view ending, const at::Tensor& input) {
  const auto full_name = [&](const std::string& name) { return prefix + name + std::string(ending); };
  std::vector<std::string> wanted;
  for (const std::string& name : backbone.intermediate_names()) {
    if (golden.has(full_name(name))) {
      wanted.push_back(name);
    }
  }
  if (wanted.empty()) {
    return;
  }
  const ImageFeatures features = backbone.encode(input, wanted);
  for (const std::string& name : wanted) {
    report.compare(full_name(name), features.intermediates.at(name));
  }
  // What the interface hands out must be the same numbers.
  if (golden.has(full_name("tokens"))) {
    const at::Tensor expected = golden.tensor(full_name("tokens"));  // [B,1+G,D]
    report.compare(full_name("tokens"), features.global, expected.select(1, 0));
    report.compare(full_name("tokens"), features.patches.flatten(1, 2), expected.slice(1, 1));
  }
}

/// Everything under `prefix`: the input `prefix`input, and a table at `grid` where there is one.
void verify_input(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                  const std::string& prefix, const Value::Map& settings, const std::vector<int64_t>& grid) {
  if (golden.has(prefix + "pos_embed")) {
    report.compare(prefix + "pos_embed",
                   backbones.with(settings).probe("position_table", {{"grid", at::tensor(grid)}}));
  }
  if (!golden.has(prefix + "input")) {
    return;
  }
  report.used_as_input(prefix + "input");
  const at::Tensor input = golden.tensor(prefix + "input");
  for (const char* times : {"once", "twice"}) {
    Value::Map used = settings;
    used.emplace_back("class_embedding", times);
    compare_pass(golden, report, backbones.with(used), prefix,
                 times == std::string_view("twice") ? kOriginal : std::string_view(), input);
  }
}

void verify_texts(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones) {
  if (!golden.has("text_ids")) {
    return;
  }
  report.used_as_input("text_ids");
  const at::Tensor ids = golden.tensor("text_ids");
  for (const auto& [name, unit_length] : {std::pair{"text_embed", false}, {"text_embed_normalized", true}}) {
    if (golden.has(name)) {
      report.compare(name, backbones.with({{"normalize_text", unit_length}}).encode_token_ids(ids));
    }
  }
}

}  // namespace

void verify_denseclip(const GoldenCase& golden, CaseReport& report, PluginHost& host) {
  const nlohmann::json& json = golden.json();
  CaseBackbones backbones(host, options_of(golden));
  const std::string activation = json.value("activation", std::string("quick_gelu"));
  report.require("DenseCLIP's activation, quick_gelu: " + activation, activation == "quick_gelu");
  const auto images = json.value("images", std::vector<std::string>());
  const auto verify_square = [&](const std::string& prefix, const Value::Map& settings) {
    const ImageSpec& spec = backbones.with(settings).image_spec();
    if (golden.has(prefix + "input") && !images.empty()) {
      report.compare(prefix + "input", preprocess_images(golden, images, spec));
    }
    verify_input(golden, report, backbones, prefix, settings, {spec.rows(), spec.columns()});
  };
  verify_square("", {});
  constexpr std::string_view kResolution = "_resolution";
  constexpr std::string_view kGrid = "_grid";
  for (const auto& [key, value] : json.items()) {
    if (key.ends_with(kResolution) && value.is_number_integer()) {
      verify_square(key.substr(0, key.size() - kResolution.size() + 1),
                    {{"resolution", value.get<int64_t>()}});
    }
    if (key.ends_with(kGrid) && value.is_array() && value.size() == 2) {
      verify_input(golden, report, backbones, key.substr(0, key.size() - kGrid.size() + 1), {},
                   value.get<std::vector<int64_t>>());
    }
  }
  verify_texts(golden, report, backbones);
}

}  // namespace patchioner
