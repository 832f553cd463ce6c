// The paper's CLS baseline: every region gets the global token of its image (spec/01 section 4.8).
#include <patchioner/plugin.hpp>

namespace patchioner {
namespace {

struct ClsOptions {};

void declare(ParameterList<ClsOptions>&) {}

class Cls : public Aggregator {
 public:
  Cls(const ClsOptions&, const PluginContext&) {}

  FeatureSource source() const override { return FeatureSource::global; }

  /// There is nothing to weight: the runtime feeds the regions.
  RegionWeights weights(std::span<const Region>, const ImageGeometry&, const PatchFeatures&) const override {
    return {};
  }
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, cls, "1.0", "The global token of the image, whatever the region",
                  patchioner::Cls, patchioner::ClsOptions)
