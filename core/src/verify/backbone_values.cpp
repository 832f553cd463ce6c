#include "verify/backbone_values.hpp"

#include <patchioner/plugin.hpp>

namespace patchioner {

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

at::Tensor unit_rows(PluginHost& host, const at::Tensor& rows) {
  return host.gap(Value::Map{{"plugin", "none"}}, PluginContext())->to_text_space(rows);
}

}  // namespace patchioner
