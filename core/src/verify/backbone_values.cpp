#include "verify/backbone_values.hpp"

#include <patchioner/plugin.hpp>

namespace patchioner {

Value::Map case_options(const GoldenCase& golden, const std::string& plugin,
                        std::initializer_list<std::pair<const char*, const char*>> numbers) {
  const nlohmann::json& json = golden.json();
  Value::Map options = {{"plugin", plugin},
                        {"weights", golden.file(json.at("weights").get<std::string>()).string()}};
  for (const auto& [key, option] : numbers) {
    if (json.contains(key)) {
      options.emplace_back(option, json[key].get<int64_t>());
    }
  }
  return options;
}

std::vector<std::pair<std::string, int64_t>> case_resolutions(const GoldenCase& golden) {
  constexpr std::string_view kEnd = "resolution";
  std::vector<std::pair<std::string, int64_t>> found;
  for (const auto& [key, value] : golden.json().items()) {
    if (key.ends_with("_" + std::string(kEnd)) && value.is_number_integer()) {
      found.emplace_back(key.substr(0, key.size() - kEnd.size()), value.get<int64_t>());
    }
  }
  return found;
}

ImageFeatures compare_intermediates(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                                    const std::function<std::string(const std::string&)>& full_name,
                                    const at::Tensor& input) {
  std::vector<std::string> wanted;
  for (const std::string& name : backbone.intermediate_names()) {
    if (golden.has(full_name(name))) {
      wanted.push_back(name);
    }
  }
  ImageFeatures features = backbone.encode(input, wanted);
  for (const std::string& name : wanted) {
    report.compare(full_name(name), features.intermediates.at(name));
  }
  return features;
}

void compare_tokens(const GoldenCase& golden, CaseReport& report, const std::string& name,
                    const ImageFeatures& features) {
  if (golden.has(name)) {
    const at::Tensor expected = golden.tensor(name);  // [B,1+G,D]
    report.compare(name, features.global, expected.select(1, 0));
    report.compare(name, features.patches.flatten(1, 2), expected.slice(1, 1));
  }
}

void compare_text_ids(const GoldenCase& golden, CaseReport& report, const Backbone& backbone) {
  if (golden.has("text_ids")) {
    report.used_as_input("text_ids");
    report.compare("text_embed", backbone.encode_token_ids(golden.tensor("text_ids")));
  }
}

void compare_position_table(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                            const std::string& name, int64_t rows, int64_t columns) {
  if (golden.has(name)) {
    const at::Tensor grid = at::tensor({rows, columns}, at::kLong);
    report.compare(name, backbone.probe("position_table", {{"grid", grid}}));
  }
}

bool split_map_heads(const std::string& name, Value& heads, std::string& rest) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) {
    return false;
  }
  const std::string group = name.substr(0, slash);
  rest = name.substr(slash + 1);
  if (group == "model") {
    heads = Value("model");
    return true;
  }
  constexpr std::string_view kReference = "ref";
  const std::string digits = group.starts_with(kReference) ? group.substr(kReference.size()) : std::string();
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  heads = Value(static_cast<int64_t>(std::stoll(digits)));
  return true;
}

at::Tensor unit_rows(CaseHost& host, const at::Tensor& rows) {
  return host.gap(Value::Map{{"plugin", "none"}})->to_text_space(rows);
}

}  // namespace patchioner
