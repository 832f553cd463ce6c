#include "simple_gap.hpp"

#undef PATCHIONER_BUILD_FINGERPRINT
#define PATCHIONER_BUILD_FINGERPRINT "itanium-abi-1017 cxx11-strings-1 libtorch-1.4.0"

PATCHIONER_PLUGIN(gap, other_libtorch, "1", "Built with another LibTorch", Simple, SimpleOptions)
