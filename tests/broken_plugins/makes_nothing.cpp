#include "simple_gap.hpp"

extern "C" const PatchionerPluginDescriptor* patchioner_plugin_descriptor() {
  static const PatchionerPluginDescriptor descriptor = {
      PATCHIONER_PLUGIN_MAGIC,
      PATCHIONER_SDK_VERSION,
      static_cast<uint32_t>(patchioner::PluginKind::gap),
      PATCHIONER_BUILD_FINGERPRINT,
      "makes_nothing",
      "1",
      "Its factory returns no object",
      [] { return "[]"; },
      [] { return "{}"; },
      [](const void*, const void*) -> void* { return nullptr; }};
  return &descriptor;
}
