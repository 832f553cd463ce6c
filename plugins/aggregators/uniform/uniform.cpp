// The mean of the patches of a region (spec/01 sections 4.2 to 4.5).
#include <patchioner/plugin.hpp>

#include "geometry/uniform_weighting.hpp"

namespace patchioner {
namespace {

struct UniformOptions : RegionOptions {
  std::string trace_norm = "patches";
};

void declare(ParameterList<UniformOptions>& list) {
  declare_region_options(list);
  declare_trace_norm(list, &UniformOptions::trace_norm);
}

class Uniform : public Aggregator {
 public:
  Uniform(const UniformOptions& options, const PluginContext&) : rules_(rules_of(options)) {
    rules_.trace_norm = trace_norm_of(options.trace_norm);
  }

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    UniformWeighting weighting;
    return region_weights(regions, geometry, rules_, weighting);
  }

 private:
  RegionRules rules_;
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, uniform, "1.0", "Mean of the patches of a region", patchioner::Uniform,
                  patchioner::UniformOptions)
