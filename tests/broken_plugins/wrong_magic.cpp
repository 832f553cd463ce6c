#include "simple_gap.hpp"

#undef PATCHIONER_PLUGIN_MAGIC
#define PATCHIONER_PLUGIN_MAGIC 0x1122334455667788ull

PATCHIONER_PLUGIN(gap, wrong_magic, "1", "Belongs to another program", Simple, SimpleOptions)
