// Cases of any plugin through its interface alone, so that those from outside need no kind of their own: the
// case names the plugin and its options, and what it must make of given tensors, regions and texts.
#include "config/json_value.hpp"
#include "data/region_json.hpp"
#include "runtime/weighted_features.hpp"
#include "verify/backbone_values.hpp"
#include "verify/given_numbers.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// What makes the plugin that `json` names: its options, paths among them relative to the case's folder.
Value section_of(const GoldenCase& golden, const nlohmann::json& json, CaseHost& host, PluginKind kind) {
  const auto name = json.at("plugin").get<std::string>();
  Value section = value_from_json(nlohmann::ordered_json(json.value("options", nlohmann::json::object())));
  for (const Parameter& parameter : host.describe(kind, name).parameters) {
    Value* value = section.find(parameter.name);
    const bool is_path = parameter.type == ParameterType::path && value != nullptr && value->is_text();
    const auto& words = parameter.choices;
    if (is_path && !value->as_text().starts_with("hf:") &&
        std::find(words.begin(), words.end(), value->as_text()) == words.end()) {
      *value = golden.file(value->as_text()).string();
    }
  }
  section.set("plugin", name);
  return section;
}

at::Tensor tensor_or_none(const GoldenCase& golden, const std::string& name, at::Device device = at::kCPU) {
  return golden.has(name) ? golden.tensor(name).to(device) : at::Tensor();
}

/// The tensor `name`, where the case holds it, against what `ours` computes.
template <class Function>
void compare_if_held(const GoldenCase& golden, CaseReport& report, const std::string& name,
                     const Function& ours) {
  if (golden.has(name)) {
    report.compare(name, ours());
  }
}

std::vector<Region> regions_of(const GoldenCase& golden) {
  std::vector<Region> regions;
  for (const nlohmann::json& region : golden.json().at("regions")) {
    const std::string where =
        fmt::format("{}: region {}", (golden.folder() / "case.json").string(), regions.size() + 1);
    regions.push_back(region_from_json(region, golden.folder(), where));
  }
  return regions;
}

/// The geometry of the case's image, whose size it says, under `spec`.
ImageGeometry geometry_under(const GoldenCase& golden, const ImageSpec& spec) {
  const auto size = golden.json().at("image_size").get<std::array<int64_t, 2>>();
  return geometry_of(spec, size[0], size[1]);
}

ImageSpec spec_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json().at("spec");
  ImageSpec spec;
  spec.resize_dim = json.at("resize_dim").get<int64_t>();
  spec.crop_dim = json.value("crop_dim", spec.resize_dim);
  spec.keep_img_ratio = json.value("keep_img_ratio", false);
  spec.patch_size = json.at("patch_size").get<int64_t>();
  return spec;
}

void compare_image_side(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                        at::Device device) {
  const auto images = golden.json().value("images", std::vector<std::string>());
  if (!images.empty()) {
    report.compare("input", preprocess_images(golden, images, backbone.image_spec()));
  }
  const auto same_name = [](const std::string& name) { return name; };
  const at::Tensor input = golden.tensor("input").to(device);  // [B,3,H,W]
  const ImageFeatures features = compare_intermediates(golden, report, backbone, same_name, input);
  compare_if_held(golden, report, "patches", [&] { return features.patches; });
  compare_if_held(golden, report, "global", [&] { return features.global; });
  compare_if_held(golden, report, "attention", [&] { return features.attention; });
  compare_if_held(golden, report, "region_features", [&] {
    const ImageGeometry geometry = geometry_under(golden, backbone.image_spec());
    return backbone.encode_regions(input.slice(0, 0, 1), regions_of(golden), geometry).features;
  });
}

void compare_text_side(const GoldenCase& golden, CaseReport& report, const Backbone& backbone) {
  compare_text_ids(golden, report, backbone);
  if (golden.json().contains("texts")) {
    const auto texts = golden.json()["texts"].get<std::vector<std::string>>();
    report.compare("text_embed", backbone.encode_text(texts));
  }
}

void compare_texts(CaseReport& report, const std::string& what, const std::vector<Caption>& captions,
                   const std::vector<std::string>& expected) {
  report.require(fmt::format("{} {}", expected.size(), what), captions.size() == expected.size());
  for (size_t i = 0; i < std::min(captions.size(), expected.size()); ++i) {
    report.compare_text(fmt::format("{} {}", what, i), captions[i].text, expected[i]);
  }
}

}  // namespace

void verify_plugin_backbone(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto backbone = host.backbone(section_of(golden, golden.json(), host, PluginKind::backbone));
  if (golden.has("input")) {
    compare_image_side(golden, report, *backbone, host.context().device);
  }
  compare_text_side(golden, report, *backbone);
}

void verify_plugin_aggregator(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto aggregator = host.aggregator(section_of(golden, golden.json(), host, PluginKind::aggregator));
  const ImageGeometry geometry = geometry_under(golden, spec_of(golden));
  const std::vector<Region> regions = regions_of(golden);
  const at::Device device = host.context().device;
  const PatchFeatures features{tensor_or_none(golden, "in_patches", device),
                               tensor_or_none(golden, "in_global", device),
                               tensor_or_none(golden, "in_attention", device)};
  const RegionWeights found = aggregator->weights(regions, geometry, features);
  const auto count = static_cast<int64_t>(regions.size());
  compare_if_held(golden, report, "weights", [&] {
    return found.weights.view({count, geometry.rows, geometry.columns});
  });
  compare_if_held(golden, report, "scale", [&] { return found.scale; });
  compare_if_held(golden, report, "features",
                  [&] { return weighted_features(found, count, features.patches); });
}

void verify_plugin_gap(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto gap = host.gap(section_of(golden, golden.json(), host, PluginKind::gap));
  compare_if_held(golden, report, "features",
                  [&] { return gap->to_text_space(golden.tensor("in_features")); });
  compare_if_held(golden, report, "perturbed", [&] {
    GivenNumbers numbers(tensor_or_none(golden, "in_normal"), tensor_or_none(golden, "in_uniform"));
    return gap->perturb(golden.tensor("in_text_features"), numbers);
  });
}

void verify_plugin_decoder(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json& json = golden.json();
  const auto decoder = host.decoder(section_of(golden, json, host, PluginKind::decoder));
  std::shared_ptr<Backbone> backbone;
  if (json.contains("backbone")) {
    backbone = host.backbone(section_of(golden, json["backbone"], host, PluginKind::backbone));
  }
  DecodeInput input;
  input.features = golden.tensor("in_features");  // [R,D]
  input.region_features =
      golden.has("in_region_features") ? golden.tensor("in_region_features") : input.features;
  input.backbone = backbone.get();
  input.explain = true;
  const std::vector<Caption> captions = decoder->decode(input);
  if (json.contains("captions")) {
    compare_texts(report, "captions", captions, json["captions"].get<std::vector<std::string>>());
  }
  compare_if_held(golden, report, "scores", [&] {
    std::vector<double> scores;
    std::transform(captions.begin(), captions.end(), std::back_inserter(scores),
                   [](const Caption& caption) { return caption.score; });
    return at::tensor(scores, at::kDouble);  // [R]
  });
  compare_if_held(golden, report, "logits",
                  [&] { return decoder->logits(input.features, golden.tensor("in_ids")); });
}

}  // namespace patchioner
