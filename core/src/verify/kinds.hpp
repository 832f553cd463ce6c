// One function a kind of golden case; each stands in the file of its topic (<topic>_cases.cpp) and is listed
// in kinds.cpp.
#pragma once

#include "verify/verify.hpp"

namespace patchioner {

// Declared here as they come: void verify_<what>(const GoldenCase& golden, CaseReport& report, PluginHost&
// host);

}  // namespace patchioner
