#include "verify/case_json.hpp"

#include <limits>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr const char* kExpected = "expected.json";
constexpr const char* kExpectedTensors = "expected.safetensors";

nlohmann::ordered_json parsed(const std::filesystem::path& file) {
  try {
    return nlohmann::ordered_json::parse(read_file(file));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "{}: no JSON: {}", file.string(), error.what());
  }
}

}  // namespace

nlohmann::ordered_json case_json(const GoldenCase& golden, const std::string& name) {
  return parsed(golden.file(name));
}

nlohmann::ordered_json expected_json(const GoldenCase& golden) {
  const std::filesystem::path file = golden.folder() / kExpected;
  if (!std::filesystem::exists(file)) {
    throw Error(ErrorKind::data, "{}: the expected values are not there; the case was copied in part",
                file.string());
  }
  return parsed(file);
}

MeteorData meteor_data_of(const GoldenCase& golden) {
  return MeteorData::open({.data = golden.file(golden.json().at("meteor_data").get<std::string>())});
}

void require_promised_tensors(const GoldenCase& golden, CaseReport& report) {
  const nlohmann::json& expected = golden.json().at("expected");
  if (expected.contains(kExpectedTensors)) {
    for (const auto& [name, meaning] : expected[kExpectedTensors].items()) {
      report.require(name + " is in " + kExpectedTensors, golden.has(name));
    }
  }
}

double number_or_nan(const nlohmann::ordered_json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

}  // namespace patchioner
