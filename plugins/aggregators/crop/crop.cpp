// The paper's crop baseline: the smallest box around each region is cut out and encoded alone; its global
// token is taken (spec/01 section 3.1).
#include <patchioner/plugin.hpp>

namespace patchioner {
namespace {

struct CropOptions {};

void declare(ParameterList<CropOptions>&) {}

class Crop : public Aggregator {
 public:
  Crop(const CropOptions&, const PluginContext&) {}

  FeatureSource source() const override { return FeatureSource::crops; }

  /// There is nothing to weight: the runtime feeds the regions.
  RegionWeights weights(std::span<const Region>, const ImageGeometry&, const PatchFeatures&) const override {
    return {};
  }
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, crop, "1.0", "Each region cut out and encoded alone", patchioner::Crop,
                  patchioner::CropOptions)
