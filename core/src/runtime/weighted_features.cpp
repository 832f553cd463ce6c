#include "runtime/weighted_features.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

at::Tensor weighted_features(const RegionWeights& weights, int64_t regions, const at::Tensor& patches) {
  const at::Tensor grid = patches.reshape({-1, patches.size(-1)});  // [G,D]
  if (!weights.weights.defined() || weights.weights.sizes() != at::IntArrayRef({regions, grid.size(0)})) {
    throw Error(
        ErrorKind::plugin,
        "the aggregator gave weights of another shape than [{},{}]: one row a region, one column a patch",
        regions, grid.size(0));
  }
  at::Tensor vectors = at::matmul(weights.weights.to(grid.device()), grid);  // [R,D]
  if (weights.scale.defined()) {
    vectors = vectors * weights.scale.to(grid.device()).unsqueeze(1);
  }
  return vectors;
}

}  // namespace patchioner
