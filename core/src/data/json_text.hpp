// JSON as text that is always valid.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace patchioner {

/// One line, or indented lines, without a line end behind them; what is no UTF-8 becomes U+FFFD.
inline std::string json_text(const nlohmann::ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace patchioner
