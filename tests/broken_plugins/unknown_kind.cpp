#include "simple_gap.hpp"

extern "C" const PatchionerPluginDescriptor* patchioner_plugin_descriptor() {
  static const PatchionerPluginDescriptor descriptor = {
      PATCHIONER_PLUGIN_MAGIC,
      PATCHIONER_SDK_VERSION,
      9,
      PATCHIONER_BUILD_FINGERPRINT,
      "unknown_kind",
      "1",
      "Of a kind that nobody knows",
      [] { return "[]"; },
      [] { return "{}"; },
      [](const void*, const void*) -> void* { return nullptr; }};
  return &descriptor;
}
