// Cases of the backbone `talk2dino`: DINOv2 at several sizes and in several layouts, and Talk2DINO's
// projection in three forms (spec/03 section 10). The case says what it holds; every tensor that it lists is
// compared.

#include <patchioner/error.hpp>
#include <regex>

#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "verify/backbone_values.hpp"
#include "verify/case_images.hpp"
#include "verify/kinds.hpp"
#include "verify/region_inputs.hpp"

namespace patchioner {
namespace {

bool is_checkpoint(const std::filesystem::path& file) {
  const std::string end = file.extension().string();
  return end == ".pth" || end == ".pt" || end == ".bin" || end == ".safetensors";
}

/// The case's weight files, told apart by content.
struct WeightFiles {
  std::string image;              ///< DINOv2
  std::string projection;         ///< Talk2DINO's
  std::string projection_config;  ///< its YAML
  std::string model_config;       ///< config.json of DINOv2
};

WeightFiles weight_files(const GoldenCase& golden) {
  WeightFiles files;
  for (const auto& [name, meaning] : golden.json().at("weights").items()) {
    const std::filesystem::path file = golden.file(name);
    if (is_checkpoint(file)) {
      const bool projection = StateDict::open(file).contains("linear_layer.weight");
      (projection ? files.projection : files.image) = file.string();
    } else if (file.extension() == ".yaml" || file.extension() == ".yml") {
      files.projection_config = file.string();
    } else if (file.extension() == ".json") {
      files.model_config = file.string();
    }
  }
  return files;
}

void add_if_given(Value::Map& options, const char* key, const std::string& value) {
  if (!value.empty()) {
    options.emplace_back(key, value);
  }
}

Value::Map options_of(const GoldenCase& golden, const WeightFiles& files) {
  Value::Map options = {{"plugin", "talk2dino"}};
  add_if_given(options, "weights", files.image);
  add_if_given(options, "config", files.model_config);
  add_if_given(options, "projection_weights", files.projection);
  add_if_given(options, "projection_config", files.projection_config);
  const nlohmann::json dims = golden.json().value("dims", nlohmann::json::object());
  if (dims.contains("heads") && !files.image.empty()) {
    options.emplace_back("heads", dims["heads"].get<int64_t>());
  }
  return options;
}

void compare_tensor(CaseReport& report, CaseBackbones& backbones, const Value::Map& settings,
                    const std::string& name, const std::string& stem, const at::Tensor& input) {
  const Backbone& backbone = backbones.with(settings);
  if (stem == "pos") {
    const int64_t patch = backbone.image_spec().patch_size;
    const at::Tensor grid = at::tensor({input.size(2) / patch, input.size(3) / patch}, at::kLong);
    report.compare(name, backbone.probe("position_table", {{"grid", grid}}).unsqueeze(0));
    return;
  }
  const std::vector<std::string> known = backbone.intermediate_names();
  if (std::find(known.begin(), known.end(), stem) == known.end()) {
    return;  // the report names what nobody compared
  }
  const ImageFeatures features = backbone.encode(input, std::vector<std::string>{stem});
  report.compare(name, features.intermediates.at(stem));
  // What the interface hands out must be the same numbers.
  if (stem == "self_attn") {
    report.compare(name, features.attention.flatten(1));
  } else if (stem == "x_norm_patchtokens") {
    report.compare(name, features.patches.flatten(1, 2));
  } else if (stem == "x_norm_clstoken") {
    report.compare(name, features.global);
  }
}

/// Everything expected under `prefix` (such as "native/"), but not under the longer prefixes of other runs.
void verify_run(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                const Value::Map& settings, const std::string& prefix,
                const std::vector<std::string>& other_prefixes, const at::Tensor& input) {
  for (const std::string& name : expected_names(golden)) {
    const auto in_longer = [&](const std::string& other) {
      return other.size() > prefix.size() && name.starts_with(other);
    };
    if (!name.starts_with(prefix) || std::any_of(other_prefixes.begin(), other_prefixes.end(), in_longer)) {
      continue;
    }
    std::string stem = name.substr(prefix.size());
    if (stem == "input") {
      continue;
    }
    Value::Map used = settings;
    Value heads;
    std::string rest;
    if (split_map_heads(stem, heads, rest)) {
      used.emplace_back("map_heads", heads);
      stem = rest;
    } else {
      used.emplace_back("map_heads", "model");  // of no influence here, and possible at every width
    }
    compare_tensor(report, backbones, used, name, stem, input);
  }
}

/// The network input of a run: given, or made from an image and compared with the given one.
at::Tensor run_input(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                     const nlohmann::json& run, const std::string& prefix, const Value::Map& settings) {
  const std::string name = run.value("input", prefix + "input");
  report.used_as_input(name);
  if (!run.contains("image")) {
    return golden.tensor(name);
  }
  Value::Map used = settings;
  used.emplace_back("map_heads", "model");
  const at::Tensor ours =
      preprocess_images(golden, {run["image"].get<std::string>()}, backbones.with(used).image_spec());
  if (!golden.has(name)) {
    return ours;
  }
  report.compare(name, ours);
  return golden.tensor(name);
}

void verify_variants(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  report.used_as_input("text");
  for (const nlohmann::json& variant : golden.json().at("variants")) {
    const std::string name = variant.at("name").get<std::string>();
    CaseBackbones backbones(
        host, {{"plugin", "talk2dino"},
               {"projection_weights", golden.file(variant.at("weights").get<std::string>()).string()},
               {"projection_config", golden.file(variant.at("config").get<std::string>()).string()}});
    const Backbone& backbone = backbones.with();
    const at::Tensor projected = backbone.probe("projection", {{"text", golden.tensor("text")}});
    report.compare(name + "/projected", projected);
    if (golden.has(name + "/A_pinv")) {
      report.compare(name + "/A_pinv", backbone.probe("projection_pinv", {}));
    }
    if (golden.has(name + "/reverted")) {
      report.compare(name + "/reverted", backbone.probe("projection_inverse", {{"projected", projected}}));
    }
  }
}

void verify_projection_alone(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones,
                             const WeightFiles& files, CaseHost& host) {
  report.used_as_input("text");
  const at::Tensor projected = backbones.with().probe("projection", {{"text", golden.tensor("text")}});
  report.compare("projected", projected);
  if (golden.has("projected_norm")) {
    report.compare("projected_norm", unit_rows(host, projected));
  }
  if (!golden.has("projected_first_release")) {
    return;
  }
  // Expected values of another file of the same name; they are compared when it is that file which lies here.
  const std::string digest = sha256_of_file(files.projection);
  const nlohmann::json digests = golden.json().value("sha256", nlohmann::json::object());
  bool first_release = false;
  for (const auto& [name, value] : digests.items()) {
    first_release |= name.starts_with("first_release") && value == digest;
  }
  if (first_release) {
    report.compare("projected_first_release", projected);
  } else {
    report.used_as_input("projected_first_release");
  }
}

/// "... grid rows 0..1, columns 1..2 ..." of a tensor's meaning, the only place where a case says it, as a
/// box in pixels of the network input: half a patch short of the last cell's end, as the reference counts
/// cells.
Box box_of_meaning(const GoldenCase& golden, const std::string& name, int64_t patch_size) {
  const std::string meaning = golden.json().at("tensors").at(name).at("meaning").get<std::string>();
  std::smatch found;
  if (!std::regex_search(meaning, found, std::regex("rows (\\d+)\\.\\.(\\d+), columns (\\d+)\\.\\.(\\d+)"))) {
    throw Error(ErrorKind::data, "{}: the meaning of '{}' does not say which rows and columns",
                golden.folder().string(), name);
  }
  const auto patch = static_cast<double>(patch_size);
  const auto number = [&found](size_t i) { return std::stod(found[i].str()); };
  return {number(3) * patch, number(1) * patch, (number(4) - number(3) + 0.5) * patch,
          (number(2) - number(1) + 0.5) * patch};
}

/// A memory bank in a file, where the gap `memory` reads it, for as long as the folder lives.
std::filesystem::path bank_file(const TemporaryFolder& folder, const at::Tensor& rows) {
  const std::filesystem::path bank = folder.path() / "bank.safetensors";
  write_safetensors(bank, {{"embeddings", rows}});
  const std::vector<std::string> texts(static_cast<size_t>(rows.size(0)), "text");
  write_file(folder.path() / "bank.texts.json", nlohmann::json(texts).dump());
  return bank;
}

/// The queries through the gap `memory`.
void compare_memory(const GoldenCase& golden, CaseReport& report, CaseHost& host, const at::Tensor& memory) {
  // A temperature of 0.01 magnifies rounding a hundredfold, so it starts from the case's own queries.
  const at::Tensor queries = golden.tensor("queries");
  const TemporaryFolder folder;
  const std::filesystem::path bank = bank_file(folder, memory);
  for (const bool normalize : {true, false}) {
    const auto gap = host.gap(Value::Map{
        {"plugin", "memory"}, {"bank", bank.string()}, {"temperature", 0.01}, {"normalize", normalize}});
    report.compare(normalize ? "mem_projected" : "mem_projected_raw", gap->to_text_space(queries));
  }
}

/// Image, texts and memory together.
void verify_chain(const GoldenCase& golden, CaseReport& report, CaseBackbones& backbones, CaseHost& host) {
  const nlohmann::json& json = golden.json();
  const Value::Map settings = preprocessing_options(json.at("preprocess"));
  const std::string prefix = "image/";
  const at::Tensor input =
      run_input(golden, report, backbones, {{"image", json.at("image")}}, prefix, settings);
  verify_run(golden, report, backbones, settings, prefix, {}, input);

  report.used_as_input("clip_text");
  Value::Map reference = settings;
  reference.emplace_back("map_heads",
                         16);  // the queries of this case were made with the reference's pseudo-heads
  const Backbone& backbone = backbones.with(reference);
  const at::Tensor memory = backbone.probe("projection", {{"text", golden.tensor("clip_text")}});  // [M,D]
  report.compare("memory", memory);
  const ImageFeatures features = backbone.encode(input, std::vector<std::string>{"avg_self_attn_token"});
  const at::Tensor patches = features.patches.flatten(1, 2)[0];  // [G,D]
  report.compare("patch_text_cosine", at::matmul(unit_rows(host, patches), unit_rows(host, memory).t()));
  const ImageSpec& spec = backbone.image_spec();
  const Region box{box_of_meaning(golden, "region_token", spec.patch_size), ""};
  const at::Tensor region =
      region_features(*aggregator(host, "uniform"), {box}, identity_geometry(spec.rows(), spec.patch_size),
                      patches);  // [1,D]
  report.compare("region_token", region);
  const int64_t single = golden.tensor("queries").size(0) - 3;
  report.compare("queries", at::cat({region, features.intermediates.at("avg_self_attn_token"),
                                     features.global, patches.slice(0, 0, single)}));
  compare_memory(golden, report, host, memory);
}

}  // namespace

void verify_dinov2(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const WeightFiles files = weight_files(golden);
  CaseBackbones backbones(host, options_of(golden, files));
  const nlohmann::json& runs = golden.json().at("runs");
  std::vector<std::string> prefixes;
  for (const nlohmann::json& run : runs) {
    prefixes.push_back(run.at("run").get<std::string>() + "/");
  }
  for (size_t i = 0; i < prefixes.size(); ++i) {
    Value::Map settings;
    if (runs[i].contains("attention_type")) {
      settings.emplace_back("attention_type", runs[i]["attention_type"].get<std::string>());
    }
    if (runs[i].contains("preprocess")) {
      const Value::Map more = preprocessing_options(runs[i]["preprocess"]);
      settings.insert(settings.end(), more.begin(), more.end());
    }
    const at::Tensor input = run_input(golden, report, backbones, runs[i], prefixes[i], settings);
    verify_run(golden, report, backbones, settings, prefixes[i], prefixes, input);
  }
}

void verify_talk2dino(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  if (golden.json().contains("variants")) {
    verify_variants(golden, report, host);
    return;
  }
  const WeightFiles files = weight_files(golden);
  CaseBackbones backbones(host, options_of(golden, files));
  if (golden.json().contains("image")) {
    verify_chain(golden, report, backbones, host);
  } else {
    verify_projection_alone(golden, report, backbones, files, host);
  }
}

}  // namespace patchioner
