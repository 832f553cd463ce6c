// Cases of the backbone `dinotxt`: DINOv2, DINO.txt's vision head and its text encoder (spec/03 sections 6
// and 10).

#include <algorithm>

#include "verify/backbone_values.hpp"
#include "verify/case_images.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// The plugin's options: the case's weight files, told apart by content, and the head counts, which no file
/// says.
Value::Map options_of(const GoldenCase& golden) {
  Value::Map options = {{"plugin", "dinotxt"}};
  bool head = false;
  for (const auto& [name, meaning] : golden.json().at("weights").items()) {
    const std::filesystem::path file = golden.file(name);
    const StateDict weights = StateDict::open(file);
    const bool vision_head = weights.contains_prefix("block_list.");
    const bool text = weights.contains("backbone.token_embedding.weight");
    options.emplace_back(vision_head ? "vision_head_weights"
                         : text      ? "text_weights"
                                     : "weights",
                         file.string());
    head = head || vision_head;
  }
  options.emplace_back("vision_head", head);
  const nlohmann::json dims = golden.json().value("dims", nlohmann::json::object());
  for (const char* key : {"heads", "head_heads", "text_heads"}) {
    if (dims.contains(key)) {
      options.emplace_back(key, dims[key].get<int64_t>());
    }
  }
  return options;
}

/// A text's vectors, made once for all runs.
struct Texts {
  at::Tensor features;    // [K,2*D]
  at::Tensor patch_half;  // [K,D]
};

Texts compare_texts(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones, CaseHost& host) {
  constexpr const char* kIds = "text/token_ids";
  if (!golden.has(kIds)) {
    return {};
  }
  report.used_as_input(kIds);
  const at::Tensor ids = golden.tensor(kIds);
  Texts texts;
  texts.features = backbones.with({{"map_heads", "model"}}).probe("text_features", {{"ids", ids}});
  const auto compare = [&](const std::string& name, const at::Tensor& ours) {
    for (const bool unit : {false, true}) {
      const std::string full = "text/" + name + (unit ? "_norm" : "");
      if (golden.has(full)) {
        report.compare(full, unit ? unit_rows(host, ours) : ours);
      }
    }
  };
  compare("features", texts.features);
  for (const std::string part : {"patch", "class"}) {
    const Value::Map chosen = {{"map_heads", "model"}, {"text_part", part == "patch" ? "patches" : "class"}};
    const at::Tensor half = backbones.with(chosen).encode_token_ids(ids);  // [K,D]
    compare(part + "_half", half);
    if (part == "patch") {
      texts.patch_half = half;
    }
  }
  return texts;
}

/// An intermediate, and what the interface hands out where that must be the same numbers.
void compare_intermediate(CaseReport& report, const Backbone& backbone, const std::string& name,
                          const std::string& intermediate, const at::Tensor& input) {
  const std::vector<std::string> known = backbone.intermediate_names();
  if (std::find(known.begin(), known.end(), intermediate) == known.end()) {
    return;  // the report names what nobody compared
  }
  const ImageFeatures features = backbone.encode(input, std::vector<std::string>{intermediate});
  report.compare(name, features.intermediates.at(intermediate));
  if (intermediate == "class_token") {
    report.compare(name, features.global);
  } else if (intermediate == "patch_tokens") {
    report.compare(name, features.patches.flatten(1, 2));
  } else if (intermediate == "self_attn") {
    report.compare(name, features.attention.flatten(1));
  }
}

/// What stands under "backbone/": DINOv2's tokens, also as what the backbone hands out without a vision head.
void compare_without_head(CaseReport& report, CaseBackbones& backbones, const std::string& name,
                          const std::string& stem, const at::Tensor& input) {
  compare_intermediate(report, backbones.with({{"map_heads", "model"}}), name, stem, input);
  const ImageFeatures bare = backbones.with({{"map_heads", "model"}, {"vision_head", false}}).encode(input);
  if (stem == "x_norm_clstoken") {
    report.compare(name, bare.global);
  } else if (stem == "x_norm_patchtokens") {
    report.compare(name, bare.patches.flatten(1, 2));
  }
}

/// Products of tokens and texts, and lengths brought to 1.
void compare_derived(CaseReport& report, const Backbone& backbone, CaseHost& host, const std::string& name,
                     const std::string& stem, const at::Tensor& input, const Texts& texts) {
  const ImageFeatures features = backbone.encode(input, std::vector<std::string>{"image_features"});
  const at::Tensor image = unit_rows(host, features.intermediates.at("image_features"));  // [B,2*D]
  if (stem == "image_features_norm") {
    report.compare(name, image);
  } else if (stem == "image_text_cosine" && texts.features.defined()) {
    report.compare(name, at::matmul(image, unit_rows(host, texts.features).t()));  // [B,K]
  } else if (stem == "patch_text_cosine" && texts.patch_half.defined()) {
    const at::Tensor patches = features.patches.flatten(1, 2);  // [B,N,D]
    const at::Tensor unit = unit_rows(host, patches.flatten(0, 1)).view(patches.sizes());
    report.compare(name, at::matmul(unit, unit_rows(host, texts.patch_half).t()));  // [B,N,K]
  }
}

void compare_tensor(CaseReport& report, CaseBackbones& backbones, CaseHost& host, const std::string& name,
                    const std::string& stem, const at::Tensor& input, const Texts& texts) {
  constexpr std::string_view kBackbone = "backbone/";
  Value heads;
  std::string rest;
  if (stem.starts_with(kBackbone)) {
    compare_without_head(report, backbones, name, stem.substr(kBackbone.size()), input);
  } else if (split_map_heads(stem, heads, rest)) {
    compare_intermediate(report, backbones.with({{"map_heads", heads}}), name, rest, input);
  } else if (stem == "class_token" || stem == "patch_tokens" || stem == "image_features") {
    compare_intermediate(report, backbones.with({{"map_heads", "model"}}), name, stem, input);
  } else {
    compare_derived(report, backbones.with({{"map_heads", "model"}}), host, name, stem, input, texts);
  }
}

}  // namespace

void verify_dinotxt(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  CaseBackbones backbones(host, options_of(golden));
  const Texts texts = compare_texts(golden, report, backbones, host);
  for (const nlohmann::json& run : golden.json().at("runs")) {
    const std::string prefix = run.at("run").get<std::string>() + "/";
    const std::string input = run.value("input", prefix + "input");
    report.used_as_input(input);
    for (const std::string& name : expected_names(golden)) {
      if (name.starts_with(prefix) && name != input) {
        compare_tensor(report, backbones, host, name, name.substr(prefix.size()), golden.tensor(input),
                       texts);
      }
    }
  }
}

}  // namespace patchioner
