// Cases of the backbone `torchscript`: an exported model, the plugin's options that describe it, and what the
// model gave where it was exported.
#include "config/json_value.hpp"
#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

Value::Map options_of(const GoldenCase& golden) {
  Value::Map options = case_options(golden, "torchscript", {});
  const Value more =
      value_from_json(nlohmann::ordered_json(golden.json().value("options", nlohmann::json::object())));
  options.insert(options.end(), more.as_map().begin(), more.as_map().end());
  return options;
}

void compare_images(const GoldenCase& golden, CaseReport& report, const Backbone& backbone) {
  const auto images = golden.json().value("images", std::vector<std::string>());
  if (!images.empty()) {
    report.compare("input", preprocess_images(golden, images, backbone.image_spec()));
  }
  report.used_as_input("input");
  const auto full_name = [](const std::string& output) { return "outputs/" + output; };
  const ImageFeatures features =
      compare_intermediates(golden, report, backbone, full_name, golden.tensor("input"));
  for (const auto& [name, ours] :
       {std::pair("patches", &features.patches), std::pair("global", &features.global),
        std::pair("attention", &features.attention)}) {
    if (!golden.has(name)) {
      continue;
    }
    if (ours->defined()) {
      report.compare(name, *ours);
    } else {
      report.fail(fmt::format("{}: the case's options describe no such output", name));
    }
  }
}

}  // namespace

void verify_torchscript(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  CaseBackbones backbones(host, options_of(golden));
  if (golden.has("input")) {
    compare_images(golden, report, backbones.with());
  }
  compare_text_ids(golden, report, backbones.with());
}

}  // namespace patchioner
