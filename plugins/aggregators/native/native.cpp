// Regions encoded by the backbone itself (Backbone::encode_regions): AlphaCLIP's mask channel, RegionCLIP's
// pooled boxes.
#include <patchioner/plugin.hpp>

namespace patchioner {
namespace {

struct NativeOptions {};

void declare(ParameterList<NativeOptions>&) {}

class Native : public Aggregator {
 public:
  Native(const NativeOptions&, const PluginContext&) {}

  FeatureSource source() const override { return FeatureSource::native; }

  /// There is nothing to weight: the backbone reads the regions.
  RegionWeights weights(std::span<const Region>, const ImageGeometry&, const PatchFeatures&) const override {
    return {};
  }
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, native, "1.0",
                  "Regions encoded by the backbone itself: AlphaCLIP's masks, RegionCLIP's boxes",
                  patchioner::Native, patchioner::NativeOptions)
