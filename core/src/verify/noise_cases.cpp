// Golden cases of what is done to text features while a decoder is trained on them alone: the gap `noise`.
#include <map>
#include <optional>

#include "verify/given_numbers.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// The number behind `start` in a name: 0.016 in "viecap_var0.016"; nothing when the name does not begin so.
std::optional<double> number_behind(const std::string& name, const std::string& start) {
  if (!name.starts_with(start)) {
    return std::nullopt;
  }
  try {
    return std::stod(name.substr(start.size()));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// The options that make the tensor `name`; `file` holds offset and linear map.
std::optional<Value::Map> options_of(const std::string& name, const std::string& file) {
  constexpr double kVariance = 0.016;  // CapDec's, where the name does not say
  constexpr double kStd = 0.08;        // CLOSE's
  if (const auto variance = number_behind(name, "viecap_var")) {
    return Value::Map{{"variance", *variance}};
  }
  if (const auto deviation = number_behind(name, "decap_std")) {
    return Value::Map{{"std", *deviation}};
  }
  const std::map<std::string, Value::Map> named = {
      {"capdec_gauss", {{"variance", kVariance}}},
      {"capdec_gauss_dont_norm", {{"variance", kVariance}, {"normalize_text", false}}},
      {"capdec_uniform_ball", {{"variance", kVariance}, {"distribution", "uniform_ball"}}},
      {"capdec_gauss_offset", {{"variance", kVariance}, {"offset", file}}},
      {"capdec_variance_zero", {{"variance", 0.0}, {"offset", file}}},
      {"close_mean_shift", {{"std", kStd}, {"offset", file}}},
      {"close_mean_shift_renorm", {{"std", kStd}, {"offset", file}, {"normalize_shifted", true}}},
      {"close_linear_adapter", {{"std", kStd}, {"linear", file}}},
      {"close_linear_adapter_eval", {{"std", 0.0}, {"linear", file}}}};  // evaluation has no noise
  if (const auto found = named.find(name); found != named.end()) {
    return found->second;
  }
  const std::string without = "_norenorm";
  const bool raw = name.ends_with(without);
  const std::string close = raw ? name.substr(0, name.size() - without.size()) : name;
  if (const auto deviation = number_behind(close, "close_noise")) {
    return Value::Map{{"std", *deviation}, {"normalize_result", !raw}};
  }
  return std::nullopt;
}

}  // namespace

void verify_noise(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  for (const char* input : {"x", "normal", "uniform", "offset", "linear_coef", "linear_bias"}) {
    report.used_as_input(input);
  }
  const std::string file = golden.file("expected.safetensors").string();
  GivenNumbers numbers(golden.tensor("normal"), golden.tensor("uniform"));
  for (const std::string& name : golden.tensor_names()) {
    std::optional<Value::Map> options = options_of(name, file);
    if (!options) {
      continue;  // an input, or a name that the report misses
    }
    options->emplace_back("plugin", "noise");
    const auto gap = host.gap(Value(std::move(*options)));
    report.compare(name, gap->perturb(golden.tensor("x"), numbers));
  }
}

}  // namespace patchioner
