// Declares parameters that contradict themselves, in the way that the variable ODD_PARAMETERS says.
#include <cstdlib>
#include <string_view>

#include "simple_gap.hpp"

namespace {

/// One parameter "factor" from 1 to 2, unless something else is asked for.
const char* schema() {
  const char* variable = std::getenv("ODD_PARAMETERS");
  const std::string_view odd = variable == nullptr ? "" : variable;
  if (odd == "twice") {
    return R"([{"name": "factor", "type": "number", "default": 1, "help": "once"},
               {"name": "factor", "type": "number", "default": 1, "help": "again"}])";
  }
  if (odd == "default") {
    return R"([{"name": "factor", "type": "number", "default": 3, "minimum": 1, "maximum": 2, "help": "a factor"}])";
  }
  if (odd == "help") {
    return R"([{"name": "factor", "type": "number", "default": 1, "help": ""}])";
  }
  if (odd == "range") {
    return R"([{"name": "factor", "type": "number", "default": null, "minimum": 3, "maximum": 2, "help": "a factor"}])";
  }
  if (odd == "plugin") {
    return R"([{"name": "plugin", "type": "text", "default": "", "help": "a name"}])";
  }
  return R"([{"name": "factor", "type": "number", "default": 1, "minimum": 1, "maximum": 2, "help": "a factor"}])";
}

}  // namespace

extern "C" const PatchionerPluginDescriptor* patchioner_plugin_descriptor() {
  static const PatchionerPluginDescriptor descriptor = {
      PATCHIONER_PLUGIN_MAGIC,
      PATCHIONER_SDK_VERSION,
      static_cast<uint32_t>(patchioner::PluginKind::gap),
      PATCHIONER_BUILD_FINGERPRINT,
      "odd_parameters",
      "1",
      "Contradicts itself",
      schema,
      [] { return "{}"; },
      [](const void*, const void*) -> void* { return nullptr; }};
  return &descriptor;
}
