// The statistics that pixels are normalised with.
#pragma once

#include <array>

namespace patchioner {

/// Mean and standard deviation a channel, RGB, of values in [0,1].
struct PixelNorm {
  std::array<float, 3> mean;
  std::array<float, 3> std;
};

/// ImageNet's, which the DINO models were trained with (spec/01 section 3, spec/03 section 7).
inline constexpr PixelNorm kImageNetNorm = {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

/// What CLIP was trained with (spec/02 section 11).
inline constexpr PixelNorm kClipNorm = {{0.48145466F, 0.4578275F, 0.40821073F},
                                        {0.26862954F, 0.26130258F, 0.27577711F}};

}  // namespace patchioner
