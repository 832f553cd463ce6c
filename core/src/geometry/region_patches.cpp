#include <patchioner/region_patches.hpp>

#include "geometry/uniform_weighting.hpp"

namespace patchioner {

RegionWeights region_patches(std::span<const Region> regions, const ImageGeometry& geometry,
                             const RegionOptions& options) {
  UniformWeighting weighting;
  return region_weights(regions, geometry, rules_of(options), weighting);
}

}  // namespace patchioner
