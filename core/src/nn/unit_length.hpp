// Features brought to unit length, the same way wherever a decoder's input is made.
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

/// Shortest length that a feature is divided by; keeps a feature of zeros finite (spec/01 section 0, G1).
constexpr double kShortestLength = 1e-12;

/// Rows [...,D] divided by their lengths.
inline at::Tensor unit_rows(const at::Tensor& features) {
  return features / features.norm(2, -1, true).clamp_min(kShortestLength);
}

}  // namespace patchioner
