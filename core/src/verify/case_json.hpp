// The JSON files of golden cases of the metrics.
#pragma once

#include <nlohmann/json.hpp>

#include "metrics/meteor_data.hpp"
#include "metrics/segment.hpp"
#include "verify/verify.hpp"

namespace patchioner {

/// A JSON file of the case with its keys in the order of the file. Throws SkipCase when it is absent, Error
/// when it is no JSON.
nlohmann::ordered_json case_json(const GoldenCase& golden, const std::string& name);

/// expected.json. Throws Error when it is absent: what is expected is the case itself.
nlohmann::ordered_json expected_json(const GoldenCase& golden);

/// The METEOR data that the case names.
MeteorData meteor_data_of(const GoldenCase& golden);

/// The tensors that the case promises in expected.safetensors are there; a promised one that is not fails it.
void require_promised_tensors(const GoldenCase& golden, CaseReport& report);

/// null: not a number.
double number_or_nan(const nlohmann::ordered_json& value);

/// [values]
at::Tensor doubles(const std::vector<double>& values);

}  // namespace patchioner
