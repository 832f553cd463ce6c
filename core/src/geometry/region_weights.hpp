// Regions to weights over the patch grid (spec/01 section 4): which cells a region has, what becomes of an
// empty one, how several boxes are put together. How the cells of one region are weighted against one another
// is the aggregator's: it implements CellWeighting.
#pragma once

#include <patchioner/aggregator.hpp>
#include <span>

#include "geometry/cell_grid.hpp"
#include "geometry/region_rules.hpp"

namespace patchioner {

/// One aggregator's weights. All results are relative and not negative; region_weights divides by their sum.
class CellWeighting {
 public:
  virtual ~CellWeighting() = default;

  /// Of the whole image, on a grid of the size of `like`.
  virtual CellGrid image(const CellGrid& like) = 0;

  /// What the weighted mean over the whole image is multiplied by.
  virtual double image_scale() const { return 1; }

  /// Of one box, whose range is not empty. Boxes come in the order of the regions.
  virtual CellGrid box(const PatchRange& range, const CellGrid& like) = 0;

  /// Of a trace or a mask, whose uniform weights (counts, shares) are not all 0.
  virtual CellGrid cells(const CellGrid& uniform) = 0;

  /// Called around the boxes of a set, for aggregators that remember the boxes before.
  virtual void begin_set() {}
  virtual void end_set() {}
};

/// The weights [R,G] of all regions, in order. Throws an Error of kind data for a box with a number that is
/// not finite or a negative side, a patch outside the grid, a mask of another size than the image.
RegionWeights region_weights(std::span<const Region> regions, const ImageGeometry& geometry,
                             const RegionRules& rules, CellWeighting& weighting);

}  // namespace patchioner
