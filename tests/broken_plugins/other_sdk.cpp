#include "simple_gap.hpp"

#undef PATCHIONER_SDK_VERSION
#define PATCHIONER_SDK_VERSION 999

PATCHIONER_PLUGIN(gap, other_sdk, "1", "Built with the headers of another version", Simple, SimpleOptions)
