// Values as JSON. Keys keep their order; what JSON cannot say (infinity, not-a-number) is written as the text
// that YAML has for it.
#pragma once

#include <nlohmann/json.hpp>
#include <patchioner/value.hpp>

namespace patchioner {

nlohmann::ordered_json json_from_value(const Value& value);

/// Origins stay empty. Whole numbers beyond 64 bits become numbers.
Value value_from_json(const nlohmann::ordered_json& json);

}  // namespace patchioner
