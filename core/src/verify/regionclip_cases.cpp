// Cases of the backbone `regionclip`: a detectron2 checkpoint, the maps of its ResNet, the attention pool
// with and without its attention for patches, resampled positions, texts (spec/02 section 7).

#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kNoPool = "_no_attnpool";

/// What one backbone makes of an input; `prefix` stands before the names and `ending` behind them.
void compare_pass(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                  const std::string& prefix, std::string_view ending, const at::Tensor& input) {
  const auto full_name = [&](const std::string& name) { return prefix + name + std::string(ending); };
  const ImageFeatures features = compare_intermediates(golden, report, backbone, full_name, input);
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
  compare_position_table(golden, report, backbone, prefix + "pos_embed", spec.rows(), spec.columns());
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

void verify_regionclip(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json& json = golden.json();
  CaseBackbones backbones(
      host, case_options(golden, "regionclip", {{"heads_attnpool", "heads"}, {"heads_text", "text_heads"}}));
  const auto images = json.value("images", std::vector<std::string>());
  verify_resolution(golden, report, backbones, "", 0, images);
  for (const auto& [prefix, resolution] : case_resolutions(golden)) {
    verify_resolution(golden, report, backbones, prefix, resolution, images);
  }
  if (json.contains("grid") && json["grid"].is_number_integer()) {
    report.compare_number("grid", static_cast<double>(backbones.with().image_spec().rows()),
                          json["grid"].get<double>(), "integers");
  }
  compare_text_ids(golden, report, backbones.with());
}

}  // namespace patchioner
