// The interface of an aggregator: regions to weights over the patch grid.
//
// A method that reads regions some other way is not an aggregator of its own kind but a FeatureSource: the
// global token, cuts of the image, or (`native`) the backbone's own Backbone::encode_regions. That is how a
// region-supervised baseline that is no patch grid fits in: the aggregator `native` has no weights to give
// and only says where the features come from, the captioner hands image and regions to the backbone, and gap
// and decoder see vectors [R,D] like any others.
#pragma once

#include <ATen/ATen.h>

#include <patchioner/backbone.hpp>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <span>
#include <string>
#include <vector>

namespace patchioner {

/// What the runtime must feed an aggregator with.
enum class FeatureSource {
  patches,  ///< the weights are applied to the patch grid
  global,   ///< every region gets the global token: the paper's CLS baseline
  crops,  ///< every region is cut out and encoded alone; its global token is taken: the paper's crop baseline
  native,  ///< the backbone encodes regions itself; refused when BackboneCapabilities::regions is false
};

/// Features of one image: the slice of ImageFeatures that belongs to it.
struct PatchFeatures {
  at::Tensor patches;    ///< [rows,columns,D]
  at::Tensor global;     ///< [D], or undefined
  at::Tensor attention;  ///< [rows,columns], or undefined
};

/// Weights of R regions over G patches, and what to do with the result.
struct RegionWeights {
  at::Tensor weights;  ///< [R,G] float32; each row sums to 1 (NaN rows mean an empty region under
                       ///< `empty_region: nan`)
  at::Tensor scale;    ///< [R] float32; the weighted mean is multiplied by it; 1 unless the reference's scale
                       ///< is kept (spec/01, A5, A6)
  std::vector<RegionWarning> warnings;  ///< one for each region that needed a fallback
};

/// A way to weigh patches. Objects are made by the plugin's factory and are immutable afterwards.
class Aggregator {
 public:
  virtual ~Aggregator() = default;

  /// Patches, unless the method reads regions some other way.
  virtual FeatureSource source() const { return FeatureSource::patches; }

  /// Whether `weights` reads PatchFeatures::attention; the host refuses the pair when the backbone has none.
  virtual bool needs_attention() const { return false; }

  /// Weights of the regions of one image, in order. Regions that lie outside are resolved by the aggregator's
  /// `empty_region` rule; a patch outside the grid and a mask of another size than the image throw an Error
  /// of kind data. For sources other than patches the result is undefined tensors. [any-thread]
  virtual RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                                const PatchFeatures& features) const = 0;
};

}  // namespace patchioner
