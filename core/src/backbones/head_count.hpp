// How many heads a network has whose file does not say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// A head of every published CLIP, DINO, DINOv2 and DINO.txt, but for a few large ones whose configuration
/// says so (spec/02 section 1, spec/03 section 1.1).
inline constexpr int64_t kUsualHeadWidth = 64;

/// As many heads as the usual ones fit `width`; nothing where they do not fit or the width is unknown.
std::optional<int64_t> usual_head_count(const std::optional<int64_t>& width);

/// `known`, or usual_head_count when that is 0. Throws an Error of kind config that names the file and the
/// option to set for a width that such heads do not fit. Unset stands for the width of a tensor that is not
/// there, which the loader is to report: then it is 1, which goes with the 1 of size_at.
int64_t head_count_of(int64_t known, const std::optional<int64_t>& width, const StateDict& file,
                      const std::string& option);

}  // namespace patchioner
