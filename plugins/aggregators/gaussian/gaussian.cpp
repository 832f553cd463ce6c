// Patches weighted by their distance to the middle of the region (spec/01 sections 4.2, 4.3 and 4.8).
#include <patchioner/plugin.hpp>

#include "geometry/cell_weights.hpp"
#include "geometry/region_weights.hpp"

namespace patchioner {
namespace {

struct GaussianOptions : RegionOptions {
  double variance = 1.0;  // of the published runs
  int64_t seed = -1;
};

void declare(ParameterList<GaussianOptions>& list) {
  list.add("variance", &GaussianOptions::variance,
           "variance, in squares of half the region's width and height; 0: the central patch; from 100 on a "
           "whole image is uniform")
      .range(0);
  list.add("seed", &GaussianOptions::seed,
           "variance 0 on a side of even length: draws one of the two middle patches; negative: always the "
           "lower index");
  declare_region_options(list);
}

class GaussianWeighting : public CellWeighting {
 public:
  GaussianWeighting(double variance, std::optional<uint64_t> seed) : variance_(variance), seed_(seed) {}

  CellGrid image(const CellGrid& like) override {
    return variance_ >= kUniformVariance ? uniform_weights(like.whole(), like) : box(like.whole(), like);
  }

  CellGrid box(const PatchRange& range, const CellGrid& like) override {
    return variance_ > 0 ? gaussian_weights(range, variance_, like) : central_weights(range, seed_, like);
  }

  CellGrid cells(const CellGrid& uniform) override {
    return variance_ > 0 ? gaussian_among(uniform, variance_) : central_among(uniform);
  }

 private:
  double variance_;
  std::optional<uint64_t> seed_;
};

class Gaussian : public Aggregator {
 public:
  Gaussian(const GaussianOptions& options, const PluginContext&)
      : rules_(rules_of(options)), variance_(options.variance) {
    if (options.seed >= 0) {
      seed_ = static_cast<uint64_t>(options.seed);
    }
  }

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    GaussianWeighting weighting(variance_, seed_);
    return region_weights(regions, geometry, rules_, weighting);
  }

 private:
  RegionRules rules_;
  double variance_;
  std::optional<uint64_t> seed_;
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, gaussian, "1.0",
                  "Mean of the patches of a region, weighted by a gaussian around its middle",
                  patchioner::Gaussian, patchioner::GaussianOptions)
