// The one patch in the middle of the region (spec/01 sections 4.2, 4.3 and 4.8).
#include <patchioner/plugin.hpp>

#include "geometry/cell_weights.hpp"
#include "geometry/region_weights.hpp"

namespace patchioner {
namespace {

struct CentralOptions : RegionOptions {
  int64_t seed = -1;
};

void declare(ParameterList<CentralOptions>& list) {
  list.add(
      "seed", &CentralOptions::seed,
      "a side of even length has two middle patches: draws one of them; negative: always the lower index");
  declare_region_options(list);
}

class CentralWeighting : public CellWeighting {
 public:
  explicit CentralWeighting(std::optional<uint64_t> seed) : seed_(seed) {}

  CellGrid image(const CellGrid& like) override { return central_weights(like.whole(), seed_, like); }
  CellGrid box(const PatchRange& range, const CellGrid& like) override {
    return central_weights(range, seed_, like);
  }
  CellGrid cells(const CellGrid& uniform) override { return central_among(uniform); }

 private:
  std::optional<uint64_t> seed_;
};

class Central : public Aggregator {
 public:
  Central(const CentralOptions& options, const PluginContext&) : rules_(rules_of(options)) {
    if (options.seed >= 0) {
      seed_ = static_cast<uint64_t>(options.seed);
    }
  }

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    CentralWeighting weighting(seed_);
    return region_weights(regions, geometry, rules_, weighting);
  }

 private:
  RegionRules rules_;
  std::optional<uint64_t> seed_;
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, central, "1.0", "The patch in the middle of a region", patchioner::Central,
                  patchioner::CentralOptions)
