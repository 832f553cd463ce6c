// Exports a number under the name of the function that a plugin has.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) const uint64_t patchioner_plugin_descriptor =
    0x6e6f696863746150ull;
