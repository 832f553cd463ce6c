// How many heads a network has whose file does not say.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// A head of every published CLIP, DINO, DINOv2 and DINO.txt, but for a few large ones whose configuration
/// says so (spec/02 section 1, spec/03 section 1.1).
inline constexpr int64_t kUsualHeadWidth = 64;

/// `known`, or as many heads as the usual ones fit `width` when that is 0. Throws an Error of kind config for
/// a width that they do not fit, which names the file and the option to set.
int64_t head_count_of(int64_t known, int64_t width, const StateDict& file, const std::string& option);

}  // namespace patchioner
