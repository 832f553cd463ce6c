// Cases of the backbone `denseclip`: a segmentation checkpoint with the reference's YAML, tokens with the
// class embedding added once and twice, inputs that are not square, texts as they come and of unit length
// (spec/02 section 4).

#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kOriginal = "_original";

Value::Map options_of(const GoldenCase& golden) {
  Value::Map options =
      case_options(golden, "denseclip", {{"heads_vision", "heads"}, {"heads_text", "text_heads"}});
  if (golden.json().contains("config")) {
    options.emplace_back("config", golden.file(golden.json()["config"].get<std::string>()).string());
  }
  return options;
}

/// What one backbone makes of an input: the results named `prefix` + intermediate + `ending`.
void compare_pass(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                  const std::string& prefix, std::string_view ending, const at::Tensor& input) {
  const auto full_name = [&](const std::string& name) { return prefix + name + std::string(ending); };
  const ImageFeatures features = compare_intermediates(golden, report, backbone, full_name, input);
  compare_tokens(golden, report, full_name("tokens"), features);
}

/// Everything under `prefix`: the input `prefix`input, and a table at `grid` where there is one.
void verify_input(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                  const std::string& prefix, const Value::Map& settings, const std::vector<int64_t>& grid) {
  compare_position_table(golden, report, backbones.with(settings), prefix + "pos_embed", grid.at(0),
                         grid.at(1));
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

void verify_denseclip(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
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
  for (const auto& [prefix, resolution] : case_resolutions(golden)) {
    verify_square(prefix, {{"resolution", resolution}});
  }
  constexpr std::string_view kGrid = "_grid";
  for (const auto& [key, value] : json.items()) {
    if (key.ends_with(kGrid) && value.is_array() && value.size() == 2) {
      verify_input(golden, report, backbones, key.substr(0, key.size() - kGrid.size() + 1), {},
                   value.get<std::vector<int64_t>>());
    }
  }
  verify_texts(golden, report, backbones);
}

}  // namespace patchioner
