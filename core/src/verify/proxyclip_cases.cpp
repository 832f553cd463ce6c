// Cases of the backbone `proxyclip` (spec/03 sections 5 and 10): CLIP with either proxy, in the variants in
// which the published method and its public use disagree.

#include <algorithm>
#include <array>
#include <map>

#include "checkpoint/checkpoint_family.hpp"
#include "verify/case_images.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// Of images in [0,1], before any normalisation.
constexpr std::string_view kRawInput = "input_raw";

/// The options that all runs share: CLIP, and the constants of the method.
Value::Map shared_options(const GoldenCase& golden) {
  Value::Map options = {{"plugin", "proxyclip"}};
  for (const auto& [name, meaning] : golden.json().at("weights").items()) {
    const std::filesystem::path file = golden.file(name);
    if (identify(StateDict::open(file)).family == CheckpointFamily::clip) {
      options.emplace_back("clip_weights", file.string());
    }
  }
  const nlohmann::json clip = golden.json().value("/dims/clip"_json_pointer, nlohmann::json::object());
  for (const auto& [key, option] :
       {std::pair{"heads", "clip_heads"}, std::pair{"text_heads", "clip_text_heads"}}) {
    if (clip.contains(key)) {
      options.emplace_back(option, clip[key].get<int64_t>());
    }
  }
  const nlohmann::json constants = golden.json().value("constants", nlohmann::json::object());
  for (const char* key : {"beta", "gamma"}) {
    if (constants.contains(key)) {
      options.emplace_back(key, constants[key].get<double>());
    }
  }
  return options;
}

/// The proxy of a run, "dino" or "dinov2": the file of that family, and its head count.
Value::Map proxy_options(const GoldenCase& golden, const std::string& proxy) {
  Value::Map options = {{"proxy", proxy}};
  for (const auto& [name, meaning] : golden.json().at("weights").items()) {
    const std::filesystem::path file = golden.file(name);
    if (to_string(identify(StateDict::open(file)).family) == proxy) {
      options.emplace_back("proxy_weights", file.string());
    }
  }
  const nlohmann::json dims = golden.json().value("dims", nlohmann::json::object());
  const std::string key = proxy == "dino" && dims.contains("dino_v1") ? "dino_v1" : proxy;
  if (dims.contains(key) && dims[key].contains("heads")) {
    options.emplace_back("proxy_heads", dims[key]["heads"].get<int64_t>());
  }
  return options;
}

at::Tensor channels(const std::array<float, 3>& values) {
  return at::tensor(at::ArrayRef<float>(values)).view({1, 3, 1, 1});
}

/// The images of a run in [0,1]: given, or made from an image file and compared with the given ones.
at::Tensor raw_input(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                     const nlohmann::json& run, const std::string& prefix) {
  const std::string name = run.value("input", prefix + std::string(kRawInput));
  if (golden.has(name)) {
    report.used_as_input(name);
  }
  if (!run.contains("image")) {
    return golden.tensor(name);
  }
  const ImageSpec& spec = backbone.image_spec();
  const at::Tensor pixels = preprocess_images(golden, {run["image"].get<std::string>()}, spec);
  const at::Tensor ours = pixels * channels(spec.std) + channels(spec.mean);  // [1,3,S,S]
  if (!golden.has(name)) {
    return ours;
  }
  report.compare(name, ours);
  return golden.tensor(name);
}

/// What is expected of a run, by variant; what stands under no variant's name under "".
std::map<std::string, std::vector<std::string>> stems_by_variant(const GoldenCase& golden,
                                                                 const std::string& prefix) {
  const nlohmann::json variants = golden.json().value("variants", nlohmann::json::object());
  std::map<std::string, std::vector<std::string>> stems;
  for (const std::string& name : expected_names(golden)) {
    if (!name.starts_with(prefix) || name == prefix + std::string(kRawInput)) {
      continue;
    }
    const std::string rest = name.substr(prefix.size());
    const size_t slash = rest.find('/');
    const std::string variant = slash == std::string::npos ? "" : rest.substr(0, slash);
    if (variant.empty() || variants.contains(variant)) {
      stems[variant].push_back(slash == std::string::npos ? rest : rest.substr(slash + 1));
    }
  }
  return stems;
}

void verify_run(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                const nlohmann::json& run) {
  const std::string prefix = run.at("run").get<std::string>() + "/";
  Value::Map settings = proxy_options(golden, run.at("proxy").get<std::string>());
  if (run.contains("preprocess")) {
    const Value::Map more = preprocessing_options(run["preprocess"]);
    settings.insert(settings.end(), more.begin(), more.end());
  }
  const Backbone& plain = backbones.with(settings);
  const ImageSpec& spec = plain.image_spec();
  const at::Tensor pixels = (raw_input(golden, report, plain, run, prefix) - channels(spec.mean)) /
                            channels(spec.std);  // [B,3,H,W]
  const std::vector<std::string> known = plain.intermediate_names();
  for (const auto& [variant, stems] : stems_by_variant(golden, prefix)) {
    Value::Map used = settings;
    // What stands under no variant was made by the reference, whose mean runs over the batch.
    const nlohmann::json options =
        variant.empty() ? nlohmann::json{{"similarity_mean", "batch"}} : golden.json()["variants"][variant];
    for (const auto& [key, value] : options.items()) {
      used.emplace_back(key, value.get<std::string>());
    }
    std::vector<std::string> wanted;
    for (const std::string& stem : stems) {
      if (std::find(known.begin(), known.end(), stem) != known.end()) {
        wanted.push_back(stem);  // the report names what nobody compared
      }
    }
    const ImageFeatures features = backbones.with(used).encode(pixels, wanted);
    for (const std::string& stem : wanted) {
      const std::string name = prefix + (variant.empty() ? "" : variant + "/") + stem;
      report.compare(name, features.intermediates.at(stem));
      if (stem == "x_norm_patchtokens") {
        report.compare(name, features.patches.flatten(1, 2));  // what the interface hands out
      }
    }
  }
}

}  // namespace

void verify_proxyclip(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  CaseBackbones backbones(host, shared_options(golden));
  for (const nlohmann::json& run : golden.json().at("runs")) {
    verify_run(golden, report, backbones, run);
  }
}

}  // namespace patchioner
