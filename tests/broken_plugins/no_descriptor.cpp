#include <patchioner/plugin.hpp>

extern "C" const PatchionerPluginDescriptor* patchioner_plugin_descriptor() {
  return nullptr;
}
