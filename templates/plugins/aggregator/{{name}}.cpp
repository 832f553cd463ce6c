// The aggregator {{name}}. As it was generated, of a region's patches those count most that are like the region
// as a whole, so that what fills it is heard above what stands at its edge. YOURS marks where your own rule
// comes in.
#include <patchioner/plugin.hpp>
#include <patchioner/region_patches.hpp>

namespace {

using namespace patchioner;

// YOURS: what a config can say. What RegionOptions has (which patches a box has, what becomes of an empty
// region) is the same for every aggregator.
struct {{Name}}Options : RegionOptions {
  double temperature = 0.1;
};

void declare(ParameterList<{{Name}}Options>& list) {
  list.add("temperature", &{{Name}}Options::temperature,
           "how much likeness counts: a cosine that is larger by so much counts 2.7 times as much")
      .range(0.02, 1e6);
  declare_region_options(list);
}

at::Tensor unit_rows(const at::Tensor& rows) {
  constexpr double kLeast = 1e-12;  // a vector of zeros stays one
  return rows / rows.norm(2, -1, true).clamp_min(kLeast);
}

class {{Name}}Aggregator : public Aggregator {
 public:
  {{Name}}Aggregator(const {{Name}}Options& options, const PluginContext&) : options_(options) {}

  /// YOURS: how much each patch counts for each region, every row summing to 1. Several threads ask at once,
  /// each about one image.
  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures& features) const override {
    RegionWeights result = region_patches(regions, geometry, options_);                 // [R,G]
    const at::Tensor vectors = unit_rows(features.patches.to(at::kCPU).flatten(0, 1));  // [G,D]
    const at::Tensor middles = unit_rows(at::matmul(result.weights, vectors));          // [R,D]
    result.weights *= (at::matmul(middles, vectors.t()) / options_.temperature).exp();  // [R,G]
    result.weights /= result.weights.sum(1, true);
    return result;
  }

  // YOURS: a rule that reads the attention map says so in needs_attention(); one that reads regions some
  // other way says so in source(), and gives no weights.

 private:
  {{Name}}Options options_;
};

}  // namespace

PATCHIONER_PLUGIN(aggregator, {{name}}, "0.1", "The patches of a region that are like the region as a whole",
                  {{Name}}Aggregator, {{Name}}Options)
