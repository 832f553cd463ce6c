// The mean of the patches inside a region: those on its border, which show what lies around it as well, are
// left out (erosion of mathematical morphology).
#include <patchioner/plugin.hpp>
#include <patchioner/region_patches.hpp>

namespace {

using namespace patchioner;

struct ErodedOptions : RegionOptions {
  int64_t steps = 1;
};

void declare(ParameterList<ErodedOptions>& list) {
  list.add("steps", &ErodedOptions::steps, "how many patches deep the border is that is left out")
      .range(0, 1000);
  declare_region_options(list);
}

/// Whether a region of that shape has an inside; traces, points and single patches are as they are.
bool has_inside(const RegionShape& shape) {
  return std::holds_alternative<Box>(shape) || std::holds_alternative<BoxSet>(shape) ||
         std::holds_alternative<Mask>(shape);
}

/// The cells of `inside` [rows,columns], 1 or 0, whose eight neighbours are all in it. Cells beyond the
/// border of the image do not count, so that a region is not eroded where the image ends.
at::Tensor eroded_once(const at::Tensor& inside) {
  const at::Tensor outside = 1 - inside.unsqueeze(0).unsqueeze(0);  // [1,1,rows,columns]
  return 1 - at::max_pool2d(outside, /*kernel_size=*/3, /*stride=*/1, /*padding=*/1).squeeze(0).squeeze(0);
}

class Eroded : public Aggregator {
 public:
  Eroded(const ErodedOptions& options, const PluginContext&) : options_(options) {}

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    RegionWeights result = region_patches(regions, geometry, options_);  // [R,G]
    for (size_t i = 0; i < regions.size(); ++i) {
      at::Tensor own = result.weights[static_cast<int64_t>(i)].view({geometry.rows, geometry.columns});
      const bool is_empty = own.isnan().any().item<bool>();  // under `empty_region: nan`
      if (has_inside(regions[i].shape) && !is_empty) {
        erode(own, i, result.warnings);
      }
    }
    return result;
  }

 private:
  /// Takes the border out of the weights of a region, which share the memory of all. A region that would
  /// vanish keeps what was left before.
  void erode(at::Tensor& own, size_t region, std::vector<RegionWarning>& warnings) const {
    at::Tensor inside = (own > 0).to(at::kFloat);
    for (int64_t step = 0; step < options_.steps; ++step) {
      const at::Tensor next = eroded_once(inside);
      if (!next.any().item<bool>()) {
        warnings.push_back(
            {region, fmt::format("nothing is left of it behind {} of {} steps of erosion; it was eroded "
                                 "by {}",
                                 step + 1, options_.steps, step)});
        break;
      }
      inside = next;
    }
    own.mul_(inside);
    own.div_(own.sum());
  }

  ErodedOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(aggregator, eroded, "1.0", "Mean of the patches inside a region, without its border",
                  Eroded, ErodedOptions)
