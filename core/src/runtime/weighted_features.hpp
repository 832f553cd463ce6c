// What an aggregator's weights make of a patch grid.
#pragma once

#include <patchioner/aggregator.hpp>

namespace patchioner {

/// The vectors [R,D] of `regions` regions: their weights times the patches ([rows,columns,D] or [G,D], on any
/// device), times their scale where there is one. Throws an Error of kind plugin for weights of another shape
/// than [R,G].
at::Tensor weighted_features(const RegionWeights& weights, int64_t regions, const at::Tensor& patches);

}  // namespace patchioner
