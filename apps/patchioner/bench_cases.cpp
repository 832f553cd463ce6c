#include "bench_cases.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <array>

#include "bench_case_parts.hpp"

namespace patchioner {
namespace {

using Maker = Cases (*)(const CaseSettings&);
constexpr std::array<std::pair<const char*, Maker>, 8> kMakers = {{
    {"clip", clip_cases},
    {"denseclip", denseclip_cases},
    {"invite", invite_cases},
    {"proxyclip", proxyclip_cases},
    {"dinotxt", dinotxt_cases},
    {"talk2dino", talk2dino_cases},
    {"alphaclip", alphaclip_cases},
    {"regionclip", regionclip_cases},
}};

}  // namespace

at::Tensor random_pixels(int64_t side, at::Device device) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  return at::randn({1, 3, side, side}, generator, at::TensorOptions(at::kFloat)).to(device);
}

std::shared_ptr<Backbone> open_plugin(PluginHost& host, const std::string& plugin,
                                      const std::vector<std::pair<std::string, Value>>& options,
                                      const PluginContext& context) {
  Value section;
  section.set("plugin", Value(plugin));
  for (const auto& [key, value] : options) {
    section.set(key, value);
  }
  return host.backbone(section, context);
}

std::function<Results()> whole_image(std::shared_ptr<Backbone> backbone, at::Tensor pixels) {
  return [backbone = std::move(backbone), pixels = std::move(pixels)] {
    const ImageFeatures features = backbone->encode(pixels);
    Results results = {features.patches.flatten(1, 2)};
    if (features.global.defined()) {
      results.push_back(features.global);
    }
    if (features.attention.defined()) {
      results.push_back(features.attention.flatten(1));
    }
    return results;
  };
}

std::vector<std::string> measured_backbones() {
  std::vector<std::string> names;
  for (const auto& [name, make] : kMakers) {
    names.emplace_back(name);
  }
  return names;
}

Cases backbone_cases(const std::vector<std::string>& backbones, const CaseSettings& settings) {
  Cases cases;
  for (const auto& [name, make] : kMakers) {
    if (std::find(backbones.begin(), backbones.end(), name) != backbones.end()) {
      std::ranges::move(make(settings), std::back_inserter(cases));
    }
  }
  return cases;
}

}  // namespace patchioner
